// One Plotly chart that stays the same node while its data grows, so that zoom and
// hidden curves survive. Streamlit calls the default export again whenever the data
// or the theme changes, and its cleanup once, when the chart leaves the page.

const charts = new WeakMap();

// Streamlit's own bundle writes window.Plotly too: take ours and give it back.
function library(version) {
  const kept = "__metascope_plotly";
  window[kept] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const theirs = window.Plotly;
    script.src = new URL(`app/static/plotly.min.js?v=${version}`, document.baseURI).href;
    script.onload = () => {
      const ours = window.Plotly;
      if (theirs) window.Plotly = theirs;
      resolve(ours);
    };
    script.onerror = () => {
      delete window[kept];
      reject(new Error("the chart library did not load: reload the page"));
    };
    document.head.append(script);
  });
  return window[kept];
}

function themed(figure, parent, resets) {
  const css = getComputedStyle(parent);
  const token = (name, otherwise) => {
    const value = css.getPropertyValue(`--st-${name}`).trim();
    return value && value !== "unset" ? value : otherwise;
  };
  const text = token("text-color", "#444");
  const border = token("border-color", "rgba(128,137,149,0.3)");
  const layout = structuredClone(figure.layout ?? {});
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
    // A finger that drags must scroll the page.
    if (matchMedia("(pointer: coarse)").matches) layout[name].fixedrange = true;
  }
  return layout;
}

function zoomed(change) {
  const keys = Object.keys(change);
  if (keys.some((key) => /axis\d*\.range/.test(key))) return true;
  return keys.some((key) => /axis\d*\.autorange/.test(key)) ? false : null;
}

async function draw(chart) {
  const { data, parent, node, button } = chart;
  const Plotly = await library(data.version);
  if (chart.gone) return;
  const layout = themed(data.figure, parent, chart.resets);
  layout.height = data.height;
  const config = { displayModeBar: false, responsive: false, displaylogo: false };
  await Plotly.react(node, structuredClone(data.figure.data ?? []), layout, config);
  if (chart.watching || chart.gone) return;
  chart.watching = true;
  node.on("plotly_relayout", (change) => {
    button.hidden = !(zoomed(change) ?? !button.hidden);
  });
  button.onclick = () => {
    chart.resets += 1;
    button.hidden = true;
    draw(chart);
  };
  let width = node.clientWidth;
  chart.observer = new ResizeObserver(() => {
    if (!node.clientWidth || node.clientWidth === width) return;
    width = node.clientWidth;
    requestAnimationFrame(() => chart.gone || Plotly.Plots.resize(node));
  });
  chart.observer.observe(node);
}

function complain(chart, error) {
  chart.node.textContent = error.message;
}

export default function ({ data, parentElement }) {
  const node = parentElement.querySelector(".metascope-plot");
  let chart = charts.get(parentElement);
  if (!chart || chart.node !== node) {
    const button = parentElement.querySelector(".metascope-reset");
    chart = { node, button, parent: parentElement, resets: 0 };
    charts.set(parentElement, chart);
  }
  chart.data = data;
  node.style.height = `${data.height}px`;
  node.setAttribute("aria-label", data.alt);
  draw(chart).catch((error) => complain(chart, error));
  return () => {
    chart.gone = true;
    chart.observer?.disconnect();
    charts.delete(parentElement);
    window.__metascope_plotly?.then((Plotly) => Plotly.purge(node));
  };
}
