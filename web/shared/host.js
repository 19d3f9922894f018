/** Access to ComfyUI: a node's widgets and links, files, the language, the host's undo. */
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

/** Links into a subgraph come from a node with this id. */
const SUBGRAPH_INPUT = -10;

/** Language of the host, such as "en" or "zh". */
export const language = () => app.extensionManager?.setting?.get("Comfy.Locale");

/** A node's widget by name. */
export const widgetOf = (node, name) => node.widgets?.find((widget) => widget.name === name);

/** Whether a widget's value comes along a link. */
export const isLinked = (node, name) =>
  node.inputs?.some((input) => input.widget?.name === name && input.link != null) ?? false;

/**
 * Address of a file of the host.
 * @param {{filename: string, subfolder: string, type: string}} file
 */
export const fileUrl = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);

/** The file that a loading node's widget names, such as "folder/name.png [temp]"; null if none. */
export function namedFile(loader, name) {
  const [, path, type] = /^(.*?)(?: \[(input|output|temp)\])?$/.exec(
    widgetOf(loader, name)?.value ?? "",
  );
  const folders = path.split("/");
  const filename = folders.pop();
  return filename ? { filename, subfolder: folders.join("/"), type: type ?? "input" } : null;
}

/** Take the graph's state into the host's own history, so that it is kept over a reload. */
export function keepState(work) {
  app.canvas?.emitBeforeChange?.();
  try {
    work();
  } finally {
    app.canvas?.emitAfterChange?.();
  }
}

/** Call `work` whenever the graph has changed. Returns a function that ends it. */
export function watchGraph(work) {
  api.addEventListener("graphChanged", work);
  return () => api.removeEventListener("graphChanged", work);
}

/** Let the wheel move the graph. In Nodes 2.0 the host sees to that itself. */
export function forwardWheel(event) {
  if (!window.LiteGraph?.vueNodesMode) app.canvas.processMouseWheel(event);
}

export const linkOf = (graph, id) => graph?.getLink?.(id) ?? graph?.links?.[id];

/** The node that feeds the input `name`, through reroutes and the borders of subgraphs, or null. */
export const sourceOf = (node, name) =>
  originOf(
    node,
    node.inputs?.find((input) => input.name === name),
  );

function originOf(node, input) {
  const link = linkOf(node.graph, input?.link);
  if (!link) return null;
  if (Number(link.origin_id) === SUBGRAPH_INPUT) {
    const holder = holderOf(node.graph.rootGraph, node.graph);
    return holder && originOf(holder, holder.inputs[link.origin_slot]);
  }
  return through(node.graph.getNodeById(link.origin_id), link.origin_slot);
}

function through(node, slot) {
  if (node?.type === "Reroute") return originOf(node, node.inputs[0]);
  if (!node?.subgraph) return node;
  const inner = linkOf(node.subgraph, node.subgraph.outputs[slot]?.linkIds[0]);
  return inner ? through(node.subgraph.getNodeById(inner.origin_id), inner.origin_slot) : null;
}

/** The node that shows a subgraph. */
function holderOf(graph, subgraph) {
  for (const node of graph.nodes) {
    if (!node.subgraph) continue;
    const found = node.subgraph === subgraph ? node : holderOf(node.subgraph, subgraph);
    if (found) return found;
  }
  return null;
}
