// What else a test has.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Grantd, GrantdError } from "grantd-test";

test("a fault strikes as often as it should", async () => {
  const grantd = await Grantd.shared();
  const client = await grantd.client({ auth: "private_key_jwt" });
  const which = { client_id: client.clientId };
  const fault = await grantd.faults.add({ ...which, endpoint: "token", status: 503, times: 1 });
  await assert.rejects(client.token(), GrantdError);
  assert.equal((await client.token()).token_type, "Bearer");
  assert.equal((await grantd.faults.list()).find((it) => it.id === fault).struck, 1);
  const [struck] = await grantd.awaitRequests({ ...which, count: 2, within: "5s" });
  assert.deepEqual([struck.outcome, struck.judged, struck.fault], ["fault", "issued", fault]);
  assert.equal((await grantd.requests({ ...which, after: struck.id })).length, 1);
});

test("who waits in vain sees what came", async () => {
  const grantd = await Grantd.shared();
  const { clientId } = await grantd.client();
  await assert.rejects(grantd.awaitRequests({ client_id: clientId, within: "1ms" }), (error) => {
    assert.deepEqual([error.status, error.body.requests], [408, []]);
    return true;
  });
});

test("a reset puts everything back", async () => {
  const grantd = await Grantd.start();
  after(() => grantd.stop());
  const client = await grantd.client();
  await client.setStatus("disabled");
  await assert.rejects(client.token(), /invalid_client/);
  await grantd.faults.add({ status: 503 });
  await grantd.clock.advance("61m");
  await grantd.reset();
  assert.deepEqual([await grantd.faults.list(), await grantd.requests()], [[], []]);
  assert((await grantd.clock.now()) < new Date(Date.now() + 60_000));
  await assert.rejects(client.delete(), /not_found/);
});
