import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["**/*.vitest.js"], globalSetup: ["grantd-test/global-setup"] },
});
