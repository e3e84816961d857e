// Copies a text in one click. Where the browser refuses the clipboard, as on a page
// without https, the text is shown selected instead.

const SHOWN = 6000; // milliseconds

async function copied(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.hidden = false;
    field.focus();
    field.select();
    // Deprecated, and the only way without https.
    return document.execCommand("copy");
  }
}

function place(note, button) {
  const onTheLeft = button.getBoundingClientRect().left < innerWidth / 2;
  note.style.left = onTheLeft ? "0" : "auto";
  note.style.right = onTheLeft ? "auto" : "0";
}

export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(`.metascope-copy-${name}`);
  const [button, note, said, field] = ["button", "note", "said", "field"].map(find);
  button.querySelector("span").textContent = data.label;
  button.title = data.help;
  field.value = data.text;
  field.setAttribute("aria-label", data.label);
  let timer;
  const close = () => {
    note.classList.remove("metascope-copy-open");
    said.textContent = "";
    field.hidden = true;
  };
  button.onclick = async () => {
    clearTimeout(timer);
    place(note, button);
    const done = await copied(data.text, field);
    if (done) field.hidden = true;
    said.textContent = done ? data.done : data.refused;
    note.classList.add("metascope-copy-open");
    if (done) {
      button.focus();
      timer = setTimeout(close, SHOWN);
    }
  };
  parentElement.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    close();
    button.focus();
  };
  return () => clearTimeout(timer);
}
