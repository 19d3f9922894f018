/** What the timeline asks of ComfyUI: its node's widgets, the song that is connected, the language. */
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

/** Links into a subgraph come from a node with this id. */
const SUBGRAPH_INPUT = -10;

/** What the host speaks, such as "en" or "zh". */
export const language = () => app.extensionManager?.setting?.get("Comfy.Locale");

/** A node's widget by name. */
export const widgetOf = (node, name) => node.widgets?.find((widget) => widget.name === name);

/** Whether a widget's value comes along a link. */
export const isLinked = (node, name) =>
  node.inputs?.some((input) => input.widget?.name === name && input.link != null) ?? false;

/** Where in the song the dance starts: what a node that is fed the beats says, else 0. */
export function danceStart(node) {
  for (const id of node.outputs?.[0]?.links ?? []) {
    const target = node.graph?.getNodeById(linkOf(node.graph, id)?.target_id);
    const start = target && widgetOf(target, "start");
    if (start) return Number(start.value) || 0;
  }
  return 0;
}

/** The address of the sound file that a "Load audio" node gives to `node`; empty where none does. */
export function songUrl(node) {
  const source = originOf(node, node.inputs?.find((input) => input.name === "audio"));
  if (source?.type !== "LoadAudio") return "";
  const named = /^(.*?)(?: \[(input|output|temp)\])?$/.exec(widgetOf(source, "audio")?.value ?? "");
  const folders = named[1].split("/");
  const filename = folders.pop();
  if (!filename) return "";
  const query = { filename, subfolder: folders.join("/"), type: named[2] ?? "input" };
  return api.apiURL(`/view?${new URLSearchParams(query)}`);
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

/** Let the wheel move the graph. In Nodes 2.0 the host sees to that itself. */
export function forwardWheel(event) {
  if (!window.LiteGraph?.vueNodesMode) app.canvas.processMouseWheel(event);
}

const linkOf = (graph, id) => graph?.getLink?.(id) ?? graph?.links?.[id];

/** The node at the other end of an input, seen through reroutes and the walls of subgraphs. */
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
