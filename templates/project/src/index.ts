/** What `--import` makes known to recipes: a further network, method, data set or metric is a line here. */
export { gentleLabels } from "./gentle-labels.js";
export { smallNet } from "./small-net.js";
