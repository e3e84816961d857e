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
