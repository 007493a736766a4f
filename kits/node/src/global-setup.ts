// One grantd for all of a run of jest or vitest, whose tests attach to it. It ends with the runner.
import { Grantd } from "./index";

async function setup(): Promise<() => Promise<void>> {
  if (process.env.GRANTD_CONTROL) return async () => {};
  const grantd = await Grantd.start();
  process.env.GRANTD_CONTROL = grantd.controlUrl;
  return () => grantd.stop();
}

export = setup;
