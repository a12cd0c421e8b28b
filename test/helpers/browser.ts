/** A real browser, where one is installed, and the example page on a web server of the test's own. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { PROJECT, type Sandbox } from './sandbox.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @returns its file; undefined where there is none */
export function findBrowser(): string | undefined {
  const directories = (process.env.PATH ?? '').split(':').filter((directory) => directory !== '');
  const files = directories.flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Builds examples/browser as its README says. @returns its address */
export async function servePage(t: TestContext, box: Sandbox): Promise<string> {
  const directory = box.path('page');
  const built = await box.run(process.execPath, [join(PROJECT, 'examples', 'browser', 'build.js'), directory]);
  if (built.code !== 0) throw new Error(built.stderr);
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(readFileSync(join(directory, isScript ? 'page.js' : 'index.html')));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

export async function openPage(t: TestContext, executablePath: string, address: string): Promise<Page> {
  // Chromium's sandbox needs rights that root in a container has not; the page is the project's own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(address);
  return page;
}
