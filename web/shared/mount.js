/** An editor becomes a widget of its node, and learns what happens to the node. */
import { widgetOf } from "./host.js";

/** Pixels of the text widget, which is seldom looked at. */
const TEXT_HEIGHT = 60;

/**
 * @param {any} node of the host
 * @param {import("./node_editor.js").NodeEditor} editor with `restore()` and `executed(output)`
 * @param {{name: string, width: number, height: number, watched: string[]}} options
 *   `name` of the new widget, least pixels of it, names of the widgets whose changes it follows.
 */
export function mountEditor(node, editor, { name, width, height, watched }) {
  // Nodes 2.0 keeps elements by a widget's name and type, even where the host has made the node
  // anew (its own undo does): a type that never was before makes it take these elements.
  const type = `musedance_${name}_${Math.random().toString(36).slice(2)}`;
  const widget = node.addDOMWidget(name, type, editor.panel.root, {
    serialize: false,
    getMinHeight: () => height,
  });
  widget.serialize = false;
  const { options } = widgetOf(node, editor.input);
  options.getMinHeight = options.getMaxHeight = () => TEXT_HEIGHT;
  node.setSize?.([Math.max(node.size[0], width), node.computeSize()[1]]);

  chain(node, "onConfigure", () => editor.restore());
  chain(node, "onExecuted", (output) => editor.executed(output ?? {}));
  chain(node, "onConnectionsChange", () => editor.requestDraw());
  chain(node, "onRemoved", () => editor.close());
  for (const input of [editor.input, ...watched])
    chain(widgetOf(node, input), "callback", () => editor.load());
}

/** Call `work` after the method `name` of `owner`. */
function chain(owner, name, work) {
  const before = owner[name];
  owner[name] = function (...values) {
    const answer = before?.apply(this, values);
    work(...values);
    return answer;
  };
}
