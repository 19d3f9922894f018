/** Simplified Chinese of the sentences that all editors share. */
export const zh = {
  Undo: "撤销",
  Redo: "重做",
  "−": "−",
  "Zoom out": "缩小",
  "+": "+",
  "Zoom in": "放大",
  More: "更多",
  "More commands": "更多操作",
  View: "视图",
  "{0} or {1}": "{0} 或 {1}",
  "{0} ({1})": "{0}（{1}）",
  "Undone.": "已撤销。",
  "Done again.": "已重做。",
  "Nothing to undo.": "没有可撤销的操作。",
  "Nothing to redo.": "没有可重做的操作。",
};
