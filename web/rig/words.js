/** The rig editor's sentences in the host's language. */
import { translator } from "../shared/words.js";
import { zh } from "./zh.js";

export const t = translator(zh);
