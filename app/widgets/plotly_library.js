// Streamlit's own bundle writes window.Plotly too: take ours and give it back.
function library(address) {
  const kept = "__metascope_plotly";
  window[kept] ??= fetched(address).catch((error) => {
    delete window[kept];
    throw new Error(`the chart library did not load (${error.message}): reload the page`);
  });
  return window[kept];
}

async function fetched(address) {
  const url = new URL(address, document.baseURI);
  // The address holds the version, so that any copy the browser has will do.
  let answer = await fetch(url, { cache: "force-cache" });
  if (!answer.ok) answer = await fetch(url, { cache: "reload" });
  if (!answer.ok) throw new Error(`${url.pathname} answers ${answer.status}`);
  const theirs = window.Plotly;
  const source = URL.createObjectURL(await answer.blob());
  try {
    await executed(source);
    const ours = window.Plotly;
    if (ours === theirs || !ours?.react) throw new Error(`${url.pathname} is not it`);
    return ours;
  } finally {
    URL.revokeObjectURL(source);
    if (theirs) window.Plotly = theirs;
  }
}

function executed(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = resolve;
    script.onerror = () => reject(new Error("it is no script"));
    document.head.append(script);
  });
}
