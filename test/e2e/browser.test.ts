/** A page in a real browser is a client of a relay: examples/browser, as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { findBrowser, openPage, servePage } from '../helpers/browser.ts';
import { befriend, network, randomNetworkKey, startAll } from '../helpers/machine.ts';
import { Relay } from '../helpers/relay.ts';
import { waitFor } from '../helpers/wait-for.ts';

const browser = findBrowser();

async function connect(page: Page, address: string, networkKey: string): Promise<void> {
  await page.fill('[name=address]', address);
  await page.fill('[name=networkKey]', networkKey);
  await page.click('button');
}

/** What the page shows, line by line, without the times. */
async function shown(page: Page): Promise<string[]> {
  const lines = await page.locator('#log li').allTextContents();
  return lines.map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, ''));
}

async function waitForLines(page: Page, expected: readonly string[]): Promise<void> {
  let lines: string[] = [];
  let state: string | null = null;
  await waitFor(
    `${expected.length} lines on the page`,
    async () => {
      lines = await shown(page);
      state = await page.locator('#state').textContent();
      return lines.length >= expected.length;
    },
    { detail: () => `${state}\n${lines.join('\n')}` },
  );
  assert.deepEqual(lines, expected);
}

test('a page in a browser reads the lines of all machines from a relay that lets it in, as they come', {
  skip: browser === undefined && 'there is no Chromium here (Debian: apt-get install chromium)',
}, async (t) => {
  const [vps, laptop] = await network(t, 'vps', 'laptop');
  const relay = await Relay.of(vps, '--access', 'followed');
  await Promise.all([relay.start(), startAll(laptop)]);
  await befriend(laptop, vps);
  await laptop.pipe('a line\n<b>no & markup</b>\nGrüße, 世界\n', '--destination', 'nas', '--no-blocks');
  const numbered = Array.from({ length: 200 }, (_, index) => `line ${index + 1} of a block`);
  await laptop.pipe(`${numbered.join('\n')}\n`, '--source', 'mini');
  await vps.waitForLog(203);

  const page = await openPage(t, browser as string, await servePage(t, vps.box));
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await connect(page, relay.wsAddress, vps.networkKey);
  const refused = await page.getByText(/^connected as @\S+: .*for machines that are followed/).textContent();
  await vps.must('follow', /@\S+\.ed25519/.exec(refused ?? '')?.[0] ?? '');
  await page.getByText('the connection has ended').waitFor();
  await page.reload();
  await connect(page, relay.wsAddress, vps.networkKey);
  const expected = [
    '[laptop] -> [nas] a line',
    '[laptop] -> [nas] <b>no & markup</b>',
    '[laptop] -> [nas] Grüße, 世界',
    ...numbered.map((text) => `[mini] ${text}`),
  ];
  await waitForLines(page, expected);

  await laptop.pipe('while the page is open\n');
  await waitForLines(page, [...expected, '[laptop] while the page is open']);

  await connect(page, relay.wsAddress, randomNetworkKey());
  await page.getByText('is the network key right?').waitFor();
  assert.deepEqual(await shown(page), []);
  assert.deepEqual(errors, []);
  assert.equal((await vps.status()).lines, 204);
});
