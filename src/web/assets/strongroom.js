// Everything here only adds to pages that work without it.

const live = document.getElementById("live");

function say(text) {
  live.textContent = "";
  requestAnimationFrame(() => { live.textContent = text; });
}

// Copying what a button names.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    say("Copied");
  } catch {
    button.textContent = "Select it and copy";
    say("The browser does not let this page copy. Select the text and copy it.");
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});

// A form that was sent says so, and cannot be sent twice by accident; after ten seconds it offers to load the page again.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.defaultPrevented || !button || button.form?.method !== "post") return;
  const label = button.textContent;
  // After the browser has taken the button's name and value along.
  setTimeout(() => {
    button.disabled = true;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
  setTimeout(() => {
    button.disabled = false;
    button.textContent = label;
    say("This takes long. You can wait, or load the page again.");
  }, 10000);
});
// A page that comes back from the browser's memory has its buttons again.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
});

// One key each, outside of fields: / searches, ? opens the manual, . opens the code of a package.
const keys = {
  "/": () => document.getElementById("site-search")?.focus(),
  "?": () => { location.href = document.querySelector("footer a[href$='/docs']").href; },
  ".": () => document.querySelector("nav.tabs a[href$='/code']")?.click(),
};
document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, textarea, select, [contenteditable]");
  if (inField || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  if (document.documentElement.dataset.keys === "off") return;
  event.preventDefault();
  keys[event.key]();
});

// What is wrong with a form is read first.
document.getElementById("form-errors")?.focus();
