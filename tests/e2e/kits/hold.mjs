// Uses the kit until it is killed.
import { Grantd } from "grantd-test";

console.log("control", (await Grantd.start()).controlUrl);
setTimeout(() => {}, 600_000);
