/** Simplified Chinese. Names of inputs and nodes are those of `locales/zh` and of the host. */
export const zh = {
  // Commands: labels of buttons, titles, headings of the menu.
  Edits: "编辑",
  Reset: "还原",
  "Reset to the joints as found": "还原为找到的关节",
  "Fit the edits to this picture": "使编辑适应此图片",
  "One joint": "单个关节",
  Add: "添加",
  "Add the selected grey joint": "添加选中的灰色关节",
  Remove: "移除",
  "Remove the selected joint and the limb beyond it": "移除选中的关节及其以外的肢体",
  "Move left, with Shift further": "左移，按住 Shift 移得更远",
  "Move right, with Shift further": "右移，按住 Shift 移得更远",
  "Move up, with Shift further": "上移，按住 Shift 移得更远",
  "Move down, with Shift further": "下移，按住 Shift 移得更远",
  "Select the previous joint": "选择上一个关节",
  "Select the next joint": "选择下一个关节",
  "Right and left of the character": "角色的左右",
  Mirror: "镜像",
  "Mirror the selected arm or leg to the other side": "将选中的手臂或腿镜像到另一侧",
  "Exchange right and left": "左右互换",
  Limbs: "肢体",
  Head: "头部",
  "Right arm": "右臂",
  "Left arm": "左臂",
  "Right leg": "右腿",
  "Left leg": "左腿",
  View: "视图",
  Fit: "全图",
  "See the whole picture": "查看整张图片",

  // The panel, as screen readers call it.
  "Rig editor": "骨架编辑器",
  "Rig editing": "骨架编辑",
  Joints: "关节",
  "Page Up and Page Down choose a joint, arrow keys move it.":
    "Page Up 和 Page Down 选择关节，方向键移动关节。",
  "Delete removes it, A adds it, M mirrors its limb, Control Z undoes.":
    "Delete 移除关节，A 添加，M 镜像其肢体，Control Z 撤销。",
  "The menu More has all other commands.": "其他操作都在“更多”菜单中。",
  "Drag a joint to move it, with Shift its limb, too. Drag a grey one to add it. The wheel zooms.":
    "拖动关节即可移动，按住 Shift 连同肢体一起移动。拖动灰色关节即可添加。滚轮缩放。",

  // Joints; sides are the character's own.
  Pelvis: "骨盆",
  Chest: "胸部",
  Neck: "颈部",
  "Top of the head": "头顶",
  "Right shoulder": "右肩",
  "Right elbow": "右肘",
  "Right wrist": "右腕",
  "Left shoulder": "左肩",
  "Left elbow": "左肘",
  "Left wrist": "左腕",
  "Right hip": "右髋",
  "Right knee": "右膝",
  "Right ankle": "右踝",
  "Left hip": "左髋",
  "Left knee": "左膝",
  "Left ankle": "左踝",

  // The rig, and its joints.
  "No joints yet: run the node": "还没有关节：请运行节点",
  "No joint selected": "未选中关节",
  "{0}, absent": "{0}，缺少",
  "{0}, {1} across, {2} down": "{0}，横向 {1}，纵向 {2}",
  "{0}, {1} % certain": "{0}，把握 {1}%",
  "Run the node once to find the joints.": "请先运行一次节点以找出关节。",
  "Run the node once to see the picture and its joints.": "请先运行一次节点以查看图片及其关节。",
  "{0} of {1} joints, edited": "{1} 个关节中的 {0} 个，已编辑",
  "{0} of {1} joints found": "找到 {1} 个关节中的 {0} 个",
  "No joints were found: the picture dances as a whole.": "未找到关节：图片作为整体跳舞。",
  "The edits are of another picture: {0} x {1} pixels, not {2} x {3}.":
    "这些编辑属于另一张图片：{0} × {1} 像素，而不是 {2} × {3}。",
  "They are not used: reset them, or choose to fit them to this picture.":
    "它们未被采用：请还原，或选择使其适应此图片。",
  "The edits were made at {0} x {1} pixels and are scaled to this size.":
    "这些编辑是在 {0} × {1} 像素时作出的，已缩放到当前尺寸。",
  "The edits are of another picture of this size. Reset them if they do not fit.":
    "这些编辑是在另一张相同尺寸的图片上作出的：如不合适，请还原。",

  // Results of commands.
  "{0} at {1}, {2}.": "{0}：{1}，{2}。",
  "{0} removed: it stays with the body.": "已移除{0}：它随身体一起动。",
  "{0} added.": "已添加{0}。",
  "The right limb is mirrored to the left.": "已将右侧肢体镜像到左侧。",
  "The left limb is mirrored to the right.": "已将左侧肢体镜像到右侧。",
  "Right and left are exchanged.": "左右已互换。",
  "The joints are as found.": "已还原为找到的关节。",
  "The joints will be found when the node runs.": "节点运行时会找出关节。",
  "The edits fit this picture now.": "编辑现已适应此图片。",

  // Reasons why a command does nothing.
  "Nothing to change.": "没有可更改的内容。",
  "These are the joints as found.": "现在就是找到的关节。",
  "The edits belong to this picture.": "这些编辑就属于此图片。",
  "Fit the edits to this picture, or reset them first.": "请先使编辑适应此图片，或还原编辑。",
  "Select a joint first.": "请先选中一个关节。",
  "Select a joint of an arm or a leg first.": "请先选中手臂或腿上的一个关节。",
  "The trunk cannot be removed: move it instead.": "躯干不能移除，只能移动。",
  "The picture ends here.": "已到图片边缘。",
  "{0} is absent: add it first.": "缺少{0}：请先添加。",
  "{0} is there already. Select a grey one.": "{0}已存在。请选择灰色的关节。",
  "{0} is absent: drag it, or press A to add it.": "缺少{0}：拖动它，或按 A 键添加。",
  "The edits come from outside this node: change them there.":
    "编辑来自此节点之外，请在那里更改。",
  "The text of the edits is not JSON.": "编辑的文本不是 JSON。",
  "The edits have no size [width, height].": "编辑中没有 size [宽, 高]。",
  "The edits have no joints.": "编辑中没有 joints。",
  "The edits have an unknown joint: {0}.": "编辑中有未知的关节：{0}。",
  "The edits have no place [x, y] for the joint {0}.": "编辑中关节 {0} 没有位置 [x, y]。",
};
