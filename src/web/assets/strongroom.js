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

// Confirming with a passkey or security key what a terminal waits for.
document.querySelectorAll("button[data-confirm-key]").forEach((button) => {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const send = (path, body) => fetch(button.dataset.confirmKey + path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    }).then(async (answer) => {
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.error);
      return said;
    });
    button.disabled = true;
    try {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await send("/challenge", {}));
      await send("/assertion", (await navigator.credentials.get({ publicKey })).toJSON());
      location.reload();
    } catch (problem) {
      button.disabled = false;
      say(problem.name === "NotAllowedError" ? "No key was used. Try again, or type a code." : problem.message);
    }
  });
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

// Passkeys: a form holds what the browser is to ask its keys, and brings back what they answered.
const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function optionsOf(form) {
  let options = form.dataset.options && JSON.parse(form.dataset.options);
  if (!options) {
    const response = await fetch(form.dataset.challenge, { method: "POST" });
    options = await response.json();
    if (!response.ok) throw new Error(options.error);
  }
  const known = (list) => list?.map((key) => ({ ...key, id: bytesOf(key.id) }));
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytesOf(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
  };
}

function answerOf(key) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (key.response[part]) response[part] = textOf(key.response[part]);
  }
  return JSON.stringify({ id: key.id, rawId: textOf(key.rawId), type: key.type, response });
}

// One at a time: whoever presses a button takes over from what waits in the background.
let waiting;
async function askKey(form, extra) {
  waiting?.abort();
  const mine = waiting = new AbortController();
  const options = { publicKey: await optionsOf(form), signal: mine.signal, ...extra };
  const key = await navigator.credentials[form.dataset.passkey](options);
  form.querySelector("[data-credential]").value = answerOf(key);
  form.submit();
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const problem = form.querySelector("[data-problem]");
      problem.textContent = "";
      try {
        await askKey(form);
      } catch (cause) {
        problem.textContent = cause.name === "InvalidStateError"
          ? "This key is registered already."
          : "Nothing was confirmed: it was cancelled, took too long, or no key here fits. Try again.";
        say(problem.textContent);
      }
    });
  }
  const filled = document.querySelector("form[data-autofill]");
  if (filled && await PublicKeyCredential.isConditionalMediationAvailable?.()) {
    askKey(filled, { mediation: "conditional" }).catch(() => {});
  }
}

// What is wrong with a form is read first.
document.getElementById("form-errors")?.focus();
