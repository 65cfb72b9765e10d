/** The process of `signals.test.ts`: operators one after the other, between which JavaScript hears no signal. */
import { writeSync } from "node:fs";
import * as torch from "../index.js";

process.on("SIGINT", () => console.log("heard"));
process.on("SIGTERM", () => console.log("heard"));
const [seconds] = process.argv.slice(2).map(Number);
const x = torch.ones([256, 256]);
const below = torch.exitAtSecondSignal(1, "stopping\n", 100);
// console.log would write only when the event loop turns.
writeSync(1, `ready ${below}\n`);
const end = performance.now() + seconds! * 1000;
while (performance.now() < end) torch.scope(() => void x.matmul(x));
setTimeout(() => process.exit(0), 200);
