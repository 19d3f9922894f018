/** Simplified Chinese. Names of inputs and nodes are those of `locales/zh` and of the host. */
export const zh = {
  // Commands: labels of buttons, titles, headings of the menu.
  Playing: "播放",
  Play: "播放",
  "Play or pause the song": "播放或暂停歌曲",
  "Click on every beat while playing": "播放时在每一拍响起节拍音",
  Edits: "编辑",
  "As heard: drop all edits": "还原：放弃所有编辑",
  "One beat": "单个节拍",
  Add: "添加",
  "Add a beat at the playhead": "在播放头处添加一拍",
  Delete: "删除",
  "Delete the selected beat": "删除选中的节拍",
  Mute: "静音",
  "Mute or unmute the selected beat": "将选中的节拍静音，或取消静音",
  "Begin a bar at the selected beat, or no longer": "将选中的节拍设为小节开头，或取消",
  "Move the selected beat onto the nearest sound": "将选中的节拍移到最近的声音上",
  "Move the selected beat 10 ms earlier": "将选中的节拍提前 10 毫秒",
  "Move the selected beat 10 ms later": "将选中的节拍推迟 10 毫秒",
  "All beats": "所有节拍",
  "Move all beats 10 ms earlier": "将所有节拍提前 10 毫秒",
  "Move all beats 10 ms later": "将所有节拍推迟 10 毫秒",
  "Halve: every other beat": "减半：隔一拍取一拍",
  "Double: one more beat between any two": "加倍：在每两拍之间再加一拍",
  "Move all beats onto their nearest sounds": "将所有节拍移到各自最近的声音上",
  Meter: "拍数",
  "One beat a bar less": "每小节少一拍",
  "One beat a bar more": "每小节多一拍",
  "Equal bars, one of which begins at the selected beat": "等长的小节，其中一个从选中的节拍开始",
  Tempo: "速度",
  "Tap the tempo, in time with the song": "跟着歌曲打拍，测出速度",
  "Lay even beats at the tapped tempo": "按打拍测出的速度铺设均匀的节拍",
  Fit: "全曲",
  "See the whole song": "查看整首歌",
  "Scroll to earlier beats": "滚动到之前的节拍",
  "Scroll to later beats": "滚动到之后的节拍",

  // The panel, as screen readers call it.
  "Beat timeline": "节拍时间轴",
  "Beat editing": "节拍编辑",
  Beats: "节拍",
  "Arrow keys choose a beat, Shift and arrow keys move it.":
    "方向键选择节拍，Shift 加方向键移动节拍。",
  "Delete deletes it, M mutes it, A adds one, Space plays, Control Z undoes.":
    "Delete 删除节拍，M 静音，A 添加，空格键播放，Control Z 撤销。",
  "The menu More has all other commands.": "其他操作都在“更多”菜单中。",
  "Drag a beat to move it, with Shift to move all. Double-click to add one. The wheel zooms.":
    "拖动节拍即可移动，按住 Shift 移动所有节拍。双击添加节拍。滚轮缩放。",

  // The beats, one and all.
  "No beat selected": "未选中节拍",
  "No beats yet: run the node": "还没有节拍：请运行节点",
  "Beat {0} of {1}, {2} seconds": "第 {0} 拍，共 {1} 拍，{2} 秒",
  "Beat {0} of {1}, {2} seconds, a bar begins": "第 {0} 拍，共 {1} 拍，{2} 秒，小节开头",
  "Beat {0} of {1}, {2} seconds, muted": "第 {0} 拍，共 {1} 拍，{2} 秒，已静音",
  "Beat {0} of {1}, {2} seconds, a bar begins, muted":
    "第 {0} 拍，共 {1} 拍，{2} 秒，小节开头，已静音",
  "{0}, {1} % certain": "{0}，把握 {1}%",
  "Run the node to see the song and its beats.": "运行节点即可看到歌曲及其节拍。",
  "{0} beats, {1} BPM, edited": "{0} 拍，{1} BPM，已编辑",
  "{0} beats, {1} BPM, as heard": "{0} 拍，{1} BPM，由节点听出",
  "{0} beats, {1} BPM, {2} a bar, edited": "{0} 拍，{1} BPM，每小节 {2} 拍，已编辑",
  "{0} beats, {1} BPM, {2} a bar, as heard": "{0} 拍，{1} BPM，每小节 {2} 拍，由节点听出",
  "No beat was found: {0} even beats, {1} BPM": "未找到节拍：{0} 个均匀的节拍，{1} BPM",
  "The dance gets {0} of these {1} beats: edit is set to halve.":
    "舞蹈使用这 {1} 拍中的 {0} 拍：“编辑”设为 halve。",
  "The dance gets {0} beats instead of these {1}: edit is set to double.":
    "舞蹈使用 {0} 拍，而不是这 {1} 拍：“编辑”设为 double。",
  "The dance gets all beats {0} s later: shift is set.": "舞蹈中所有节拍推迟 {0} 秒：已设置“平移”。",
  "The dance gets all beats {0} s earlier: shift is set.": "舞蹈中所有节拍提前 {0} 秒：已设置“平移”。",

  // Results of commands.
  "The beats are as heard.": "已恢复为听出的节拍。",
  "The beats will be heard when the node runs.": "节点运行时会听出节拍。",
  "Beat added at {0}.": "已在 {0} 处添加一拍。",
  "Beat at {0} deleted.": "已删除 {0} 处的节拍。",
  "Beat at {0} muted.": "{0} 处的节拍已静音。",
  "Beat at {0} unmuted.": "{0} 处的节拍已取消静音。",
  "A bar begins at {0}.": "小节从 {0} 处开始。",
  "No bar begins at {0}.": "{0} 处不再是小节开头。",
  "Beat at {0}.": "节拍已移到 {0} 处。",
  "All beats {0} ms earlier.": "所有节拍已提前 {0} 毫秒。",
  "All beats {0} ms later.": "所有节拍已推迟 {0} 毫秒。",
  "Every other beat: {0} BPM.": "已隔一拍取一拍：{0} BPM。",
  "Twice the beats: {0} BPM.": "节拍已加倍：{0} BPM。",
  "Beat on the sound at {0}.": "节拍已吸附到 {0} 处的声音上。",
  "{0} beats moved onto the nearest sounds.": "已将 {0} 拍吸附到最近的声音上。",
  "Tapped {0} BPM. Press L to lay even beats at this tempo.":
    "打拍测得 {0} BPM。按 L 键即按此速度铺设均匀的节拍。",
  "Tap on, in time with the song.": "请继续跟着歌曲打拍。",
  "Even beats at {0} BPM.": "已按 {0} BPM 铺设均匀的节拍。",
  "Bars of {0} beats.": "每小节 {0} 拍。",
  "Clicks on.": "节拍音已开启。",
  "Clicks off.": "节拍音已关闭。",

  // Reasons why a command does nothing.
  "Nothing to change.": "没有可更改的内容。",
  "These are the beats as heard.": "现在就是听出的节拍。",
  "A bar has {0} to {1} beats.": "每小节有 {0} 到 {1} 拍。",
  "Two beats must remain.": "至少要保留两拍。",
  "Select a beat first, with the arrow keys or the pointer.": "请先用方向键或鼠标选中一拍。",
  "The song has no such place.": "歌曲中没有这个位置。",
  "There is no room for another beat.": "这里放不下再多一拍。",
  "The next beat is in the way.": "被相邻的节拍挡住了。",
  "No sound begins near it.": "附近没有声音响起。",
  "Tap four times or more first, in time with the song.": "请先跟着歌曲打至少四拍。",
  "These beats were set for a song of {0}; this one has {1}. To track it, drop all edits.":
    "这些节拍是为时长 {0} 的歌曲设置的，而这首歌的时长为 {1}。放弃所有编辑即可重新听出节拍。",
  "Run the node first.": "请先运行节点。",
  "Only a song from a Load audio node can be heard here.": "这里只能播放来自“加载音频”节点的歌曲。",
  "The song cannot be played here; only the clicks are heard.":
    "这里无法播放这首歌，只能听到节拍音。",
  "The timeline's text comes from outside this node: edit it there.":
    "时间轴的文本来自此节点之外，请在那里编辑。",
  "The timeline's text is not JSON.": "时间轴的文本不是 JSON。",
  'The timeline\'s text has no list "beats" of seconds.':
    "时间轴的文本中没有以秒为单位的 beats 列表。",
  "The timeline's downbeats and muted beats must be lists of seconds.":
    "时间轴的 downbeats 和 muted 必须是以秒为单位的列表。",
  "The timeline's confidence must be a list with a number for each beat.":
    "时间轴的 confidence 必须是每一拍对应一个数的列表。",
};
