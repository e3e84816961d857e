// Draws the figures of a report, with the data in this file; the chart library is in it
// or beside it.

const NARROW = 640; // pixels
const PRINTED = 680; // pixels: what a sheet of A4 or Letter holds

async function unpacked(name) {
  const text = document.getElementById(name).textContent;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Figures bring no colors of their own for text and background.
function themed(source, width) {
  const layout = structuredClone(source);
  const [text, page, border] = ["text", "page", "border"].map(color);
  layout.font = { ...layout.font, color: text, family: "system-ui, sans-serif" };
  layout.hoverlabel = { ...layout.hoverlabel, bgcolor: page, bordercolor: border };
  layout.hoverlabel.font = { color: text, size: 12 };
  layout.width = width;
  return layout;
}

async function draw(node, { figure, narrow }, width = node.clientWidth) {
  const layout = themed(narrow && width < NARROW ? narrow : figure.layout, width);
  const config = { displaylogo: false, displayModeBar: "hover" };
  config.modeBarButtonsToRemove = ["select2d", "lasso2d", "autoScale2d"];
  const { data, frames } = structuredClone(figure);
  await Plotly.newPlot(node, { data, layout, frames: frames ?? [], config });
}

function say(problem) {
  for (const node of document.querySelectorAll(".chart")) node.textContent = problem;
}

async function start() {
  if (!window.DecompressionStream) {
    say("This browser is too old to unpack the figures.");
    return;
  }
  if (document.getElementById("library")) {
    const script = document.createElement("script");
    script.textContent = await unpacked("library");
    document.head.append(script);
  } else if (!window.Plotly) {
    say("The file plotly-….min.js, which draws the figures, is not beside this page.");
    return;
  }
  const figures = JSON.parse(await unpacked("figures"));
  const nodes = [...document.querySelectorAll(".chart")];
  const drawOne = (node, width) => draw(node, figures[node.dataset.chart], width);
  const drawAll = (width) => Promise.all(nodes.map((node) => drawOne(node, width)));
  for (const node of nodes) {
    await drawOne(node);
    await new Promise(requestAnimationFrame); // the first figures show at once
  }
  document.documentElement.dataset.drawn = "yes";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
  let before = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== before) drawAll();
    before = innerWidth;
  });
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    drawAll(PRINTED); // in one go: the browser does not wait for it
  });
  addEventListener("afterprint", () => drawAll());
}

start().catch((error) => say(`The figures could not be drawn: ${error.message}`));
