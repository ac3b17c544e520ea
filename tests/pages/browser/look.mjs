// Opens a page at two widths in a bright and a dark scheme, and on paper, and says what it saw: one JSON document.
// node look.mjs CHROMIUM PROFILE PAGE PICTURES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [chromium, profile, file, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const url = pathToFileURL(file).href;

const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb",
  ],
});

async function look(width, scheme) {
  const page = await browser.newPage();
  const seen = { width, scheme, console: [], requests: [], faults: [] };
  page.on("console", (message) => { if (["error", "warn"].includes(message.type())) seen.console.push(message.text()); });
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith("data:")) seen.requests.push(request.url()); });
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const began = Date.now();
  await page.goto(url, { waitUntil: "load" });
  seen.loaded_ms = Date.now() - began;
  Object.assign(seen, await page.evaluate(`({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    height: document.documentElement.scrollHeight,
    overlaps: (${overlaps})(),
  })`));
  await page.evaluate(axe);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  seen.faults = found.violations.map((v) => ({
    id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 5).map((n) => `${n.target} ${n.failureSummary}`),
  }));
  const height = Math.min(seen.height, 15000);
  await page.screenshot({ path: `${pictures}/${width}-${scheme}.png`, clip: { x: 0, y: 0, width, height } });
  await page.close();
  return seen;
}

// Labels of one drawing that lie over each other: pairs of texts whose boxes meet by more than a hair.
function overlaps() {
  const found = [];
  for (const drawing of document.querySelectorAll("main svg[role=img]")) {
    const boxes = [...drawing.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; i++) {
      for (let j = i + 1; j < boxes.length; j++) {
        const [a, b] = [boxes[i][1], boxes[j][1]];
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (a.width && b.width && wide > 1 && high > 3) found.push(`${boxes[i][0]} / ${boxes[j][0]}`);
      }
    }
  }
  return found;
}

async function printed() {
  const page = await browser.newPage();
  await page.goto(url, { waitUntil: "load" });
  const pdf = await page.pdf({ path: `${pictures}/paper.pdf`, preferCSSPageSize: true, printBackground: true, format: "A4" });
  await page.close();
  return pdf.length;
}

try {
  const looks = [];
  for (const width of [1280, 390]) for (const scheme of ["light", "dark"]) looks.push(await look(width, scheme));
  process.stdout.write(JSON.stringify({ looks, pdf_bytes: await printed() }));
} finally {
  await browser.close();
}
