// One Plotly chart that stays the same node while its data grows, so that zoom and
// hidden curves survive. Streamlit calls the default export again whenever the data
// or the theme changes, and its cleanup once, when the chart leaves the page.

const NARROW = 640; // pixels
const PACE = 120; // milliseconds a frame
const DRAG = 5; // pixels
const KEPT = 40; // figures
const PATIENCE = 8000; // milliseconds
const charts = new WeakMap();

// The chart library at an address, loaded once per page. Streamlit's own bundle writes
// window.Plotly too: take ours and give theirs back.
export function library(address) {
  const libraries = (window.__metascope_plotly ??= {});
  libraries[address] ??= loaded(address).catch((error) => {
    delete libraries[address];
    throw new Error(`the chart library did not load (${error.message}): reload the page`);
  });
  return libraries[address];
}

// A script with an address of its own: the browser keeps its compiled form, too.
function loaded(address) {
  const url = new URL(address, document.baseURI);
  const theirs = window.Plotly;
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      const ours = window.Plotly;
      if (ours === theirs || !ours?.react) reject(new Error(`${url.pathname} is not it`));
      else resolve(ours);
      if (theirs) window.Plotly = theirs;
    };
    script.onerror = () => reject(new Error(`${url.pathname} does not answer`));
    document.head.append(script);
  });
}

// What an address holds never changes, so that a figure is read once for all its charts.
const bodies = new Map();

function body(given) {
  if (typeof given !== "string") return Promise.resolve(given);
  const found = bodies.get(given) ?? fetched(given);
  bodies.delete(given);
  bodies.set(given, found); // the latest used is the last
  if (bodies.size > KEPT) bodies.delete(bodies.keys().next().value);
  found.catch(() => bodies.delete(given));
  return found;
}

async function fetched(address) {
  const answer = await fetch(new URL(address, document.baseURI));
  if (answer.ok) return answer.json();
  throw Object.assign(new Error("its figure did not load: reload the page"), {
    isGone: answer.status === 404,
  });
}

// A figure may bring a second layout for narrow screens.
async function shown({ data: { figure, narrow }, node }) {
  const [whole, layout] = await Promise.all([
    body(figure),
    narrow && node.clientWidth < NARROW ? body(narrow) : null,
  ]);
  return { figure: whole, layout: (layout ?? whole).layout ?? {} };
}

// The server keeps a figure as long as it can; a rerun of the page makes it again.
async function available(chart) {
  for (let wait = 500; ; wait *= 2) {
    try {
      return await shown(chart);
    } catch (error) {
      if (!error.isGone || wait > PATIENCE || chart.gone) throw error;
      chart.tell("missing", wait);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

function themed(source, parent, resets) {
  const css = getComputedStyle(parent);
  const token = (name, otherwise) => {
    const value = css.getPropertyValue(`--st-${name}`).trim();
    return value && value !== "unset" ? value : otherwise;
  };
  const text = token("text-color", "#444");
  const border = token("border-color", "rgba(128,137,149,0.3)");
  const layout = structuredClone(source);
  layout.font = { ...layout.font, color: text, family: token("font", "sans-serif") };
  layout.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: token("background-color", "#fff"),
    bordercolor: border,
    font: { color: text, size: 12 },
  };
  layout.autosize = true;
  delete layout.width;
  delete layout.transition;
  layout.xaxis ??= {};
  layout.yaxis ??= {};
  for (const name of Object.keys(layout)) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    layout[name].uirevision = `${layout.uirevision}:${resets}`;
    // Dragging with a finger must scroll the page.
    if (matchMedia("(pointer: coarse)").matches) layout[name].fixedrange = true;
  }
  return layout;
}

function zoomed(change) {
  const keys = Object.keys(change);
  if (keys.some((key) => /axis\d*\.range/.test(key))) return true;
  return keys.some((key) => /axis\d*\.autorange/.test(key)) ? false : null;
}

// The figure's own buttons and slider are for exports; here native ones replace them,
// for keyboard and screen reader users.
function withoutControls(layout) {
  const room = layout.meta?.controls ?? 0;
  layout.updatemenus = [];
  layout.sliders = [];
  if (room) layout.margin.b -= room;
  layout.height -= room;
}

// Charts wait until they are about to become visible and then take turns, one per
// frame: the first one appears immediately, however long the page is.
let line = Promise.resolve();

function near(chart) {
  chart.seen ??= new Promise((resolve) => {
    chart.eye = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && resolve(),
      { rootMargin: "300px" },
    );
    chart.eye.observe(chart.node);
  });
  return chart.seen;
}

// The very first chart in the window waits for nothing but its library.
let isFirst = true;

function inWindow({ node }) {
  return node.clientWidth > 0 && node.getBoundingClientRect().top < innerHeight;
}

async function inTurn(chart) {
  if (chart.waiting) return;
  chart.waiting = true;
  const first = isFirst && inWindow(chart);
  if (first) isFirst = false;
  else await near(chart);
  chart.eye?.disconnect();
  // Not before: only films and maps need the whole library, and most are far below.
  await Promise.all([library(chart.data.library), available(chart)]);
  const turn = first ? line : line.then(() => new Promise(requestAnimationFrame));
  const drawn = turn.then(() => {
    chart.waiting = false;
    return draw(chart);
  });
  line = drawn.catch(() => {});
  await drawn;
}

// What one library drew, another cannot change.
function leave(chart) {
  chart.observer?.disconnect();
  chart.observer = undefined;
  chart.Plotly?.purge(chart.node);
}

async function draw(chart) {
  const { data, parent, node } = chart;
  const [Plotly, { figure, layout: own }] = await Promise.all([
    library(data.library),
    available(chart),
  ]);
  if (chart.gone) return;
  if (chart.Plotly !== Plotly) leave(chart);
  chart.Plotly = Plotly;
  const layout = themed(own, parent, chart.resets);
  layout.height = data.height ?? layout.height ?? 320;
  const frames = figure.frames ?? [];
  if (frames.length) withoutControls(layout);
  node.style.height = `${layout.height}px`;
  chart.at = Math.min(chart.at ?? 0, Math.max(0, frames.length - 1));
  const whole = {
    data: structuredClone(figure.data ?? []),
    layout,
    ...(frames.length && { frames: structuredClone(frames) }),
    config: {
      displayModeBar: false,
      responsive: false,
      displaylogo: false,
      plotGlPixelRatio: Math.min(window.devicePixelRatio || 1, 2),
    },
  };
  if (frames.length) takeFrame(whole, frames[chart.at]);
  if (layout.scene) await inSpace(whole, () => Plotly.react(node, whole));
  else await Plotly.react(node, whole);
  if (chart.gone) return;
  if (!chart.observer) watch(chart, Plotly);
  if (layout.scene) turnLightly(chart);
  if (frames.length) film(chart, Plotly, frames, figure.layout.meta?.frames ?? "step");
}

// A figure shows its last frame, as exports need it; on the page it begins at its first.
function takeFrame(whole, { data = [], traces, layout = {} }) {
  data.forEach((change, place) => merge(whole.data[traces?.[place] ?? place], change));
  merge(whole.layout, layout);
}

// Arrays come as lists, or as objects with their bytes: both are replaced as a whole.
function merge(target, change) {
  for (const [name, value] of Object.entries(change)) {
    const isPart = value?.constructor === Object && !("bdata" in value);
    if (isPart && target[name]?.constructor === Object) merge(target[name], value);
    else target[name] = structuredClone(value);
  }
}

// Without a GPU the CPU computes every pixel, and antialiasing would dominate the cost.
let drawnByProcessor;

function byProcessor() {
  if (drawnByProcessor !== undefined) return drawnByProcessor;
  const gl = document.createElement("canvas").getContext("webgl");
  const told = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = told ? gl.getParameter(told.UNMASKED_RENDERER_WEBGL) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  drawnByProcessor = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
  return drawnByProcessor;
}

async function inSpace(whole, work) {
  if (!byProcessor()) return work();
  whole.config.plotGlPixelRatio = 1;
  const canvas = HTMLCanvasElement.prototype;
  const before = canvas.getContext;
  canvas.getContext = function (kind, asked) {
    return before.call(this, kind, { ...asked, antialias: false });
  };
  try {
    await work();
  } finally {
    canvas.getContext = before;
  }
}

// Plotly draws a scene twice, the second time to find what is under the pointer; this
// is not needed while the user rotates it.
function turnLightly(chart) {
  const { node } = chart;
  const shapes = () => node._fullLayout?.scene?._scene?.glplot?.objects ?? [];
  for (const shape of shapes()) {
    if (Object.hasOwn(shape, "drawPick")) continue;
    const drawPick = shape.drawPick;
    shape.drawPick = (told) => chart.turns || drawPick.call(shape, told);
  }
  if (chart.stand) return;
  chart.stand = ({ type }) => {
    if (!chart.pressed) return;
    // A click shorter than a frame is not reported: then the mark under it counts.
    const { turns, held = chart.over } = chart;
    chart.pressed = chart.held = undefined;
    chart.turns = false;
    if (turns) for (const shape of shapes()) shape.dirty = true;
    else if (chart.data.pick && held !== undefined && type === "pointerup")
      chart.tell("picked", Number(held));
  };
  node.addEventListener("pointerdown", ({ clientX, clientY }) => {
    chart.pressed = [clientX, clientY];
  });
  node.addEventListener("pointermove", (event) => {
    if (!chart.pressed) return;
    const { buttons, clientX, clientY } = event;
    const [x, y] = chart.pressed;
    if (!buttons) chart.stand(event);
    else if (Math.hypot(clientX - x, clientY - y) > DRAG) chart.turns = true;
  });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, chart.stand);
}

function indexOf(points) {
  const told = points[0]?.customdata;
  return told?.length === undefined ? told : told[0];
}

function watch(chart, Plotly) {
  const { node, button } = chart;
  node.on("plotly_relayout", (change) => {
    button.hidden = !(zoomed(change) ?? !button.hidden);
  });
  node.on("plotly_hover", ({ points }) => (chart.over = indexOf(points)));
  node.on("plotly_unhover", () => (chart.over = undefined));
  node.on("plotly_click", ({ points }) => {
    const index = indexOf(points);
    if (!chart.data.pick || index === undefined) return;
    // A scene reports a click when the button goes down: it may become a drag.
    if (chart.pressed) chart.held = Number(index);
    else chart.tell("picked", Number(index));
  });
  button.onclick = () => {
    chart.resets += 1;
    button.hidden = true;
    draw(chart);
  };
  let width = node.clientWidth;
  chart.observer = new ResizeObserver(() => {
    if (chart.gone || !node.clientWidth || node.clientWidth === width) return;
    const crossed = width < NARROW !== node.clientWidth < NARROW;
    width = node.clientWidth;
    if (crossed) draw(chart);
    else requestAnimationFrame(() => chart.gone || Plotly.Plots.resize(node));
  });
  chart.observer.observe(node);
}

function film(chart, Plotly, frames, word) {
  const bar = chart.parent.querySelector(".metascope-film");
  const [play, slider, told] = bar.children;
  const last = frames.length - 1;
  const tell = (name) => {
    told.textContent = `${word} ${name} of ${frames[last].name}`;
    slider.setAttribute("aria-valuetext", told.textContent);
  };
  const now = { mode: "immediate", transition: { duration: 0 } };
  const seek = async (at) => {
    chart.at = slider.value = at;
    const name = frames[at].name;
    tell(name);
    await Plotly.animate(chart.node, [name], { ...now, frame: { duration: 0, redraw: true } });
  };
  const stop = () => {
    clearTimeout(chart.timer);
    chart.timer = undefined;
    play.textContent = "▶ Play";
  };
  const run = async () => {
    if (chart.gone) return;
    await seek(chart.at + 1);
    if (chart.timer === undefined) return;
    if (chart.at >= last) stop();
    else chart.timer = setTimeout(run, PACE);
  };
  bar.hidden = false;
  slider.max = last;
  play.onclick = () => {
    if (chart.timer !== undefined) return stop();
    play.textContent = "❚❚ Pause";
    if (chart.at >= last) chart.at = -1;
    chart.timer = setTimeout(run, 0);
  };
  slider.oninput = () => {
    stop();
    seek(Number(slider.value));
  };
  slider.value = chart.at;
  tell(frames[chart.at].name);
}

function complain(chart, error) {
  chart.node.textContent = error.message;
}

function parsed(bytes) {
  const { options, ...figures } = JSON.parse(new TextDecoder().decode(bytes));
  return { ...figures, ...options };
}

export default function ({ data: bytes, parentElement, setTriggerValue }) {
  const data = parsed(bytes);
  const node = parentElement.querySelector(".metascope-plot");
  let chart = charts.get(parentElement);
  if (!chart || chart.node !== node) {
    const button = parentElement.querySelector(".metascope-reset");
    chart = { node, button, parent: parentElement, resets: 0 };
    charts.set(parentElement, chart);
  }
  chart.data = data;
  chart.tell = setTriggerValue;
  const [wide, tight] = data.rooms;
  const height = node.clientWidth && node.clientWidth < NARROW ? tight : wide;
  node.style.minHeight = `${Math.min(height, 120)}px`;
  node.style.height ||= `${height}px`;
  node.setAttribute("role", "img"); // only with alt text: a role without one does not help
  node.setAttribute("aria-label", data.alt);
  inTurn(chart).catch((error) => complain(chart, error));
  return () => {
    chart.gone = true;
    clearTimeout(chart.timer);
    chart.eye?.disconnect();
    for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, chart.stand);
    charts.delete(parentElement);
    leave(chart);
  };
}
