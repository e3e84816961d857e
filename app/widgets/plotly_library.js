// The chart library at an address, loaded once per page. Streamlit's own bundle writes
// window.Plotly too: take ours and give theirs back.
function library(address) {
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
