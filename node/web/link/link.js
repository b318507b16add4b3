// SPDX-License-Identifier: Apache-2.0
// The part of the link behind # is read here and nowhere else: it is shown, put
// into the clipboard when asked, and handed to an app when asked.
"use strict";

// As short as a link can be, and as long: decisions B 6.
const shape = /^[A-Za-z0-9_-]{60,200}$/;

const find = (id) => document.getElementById(id);

// Whose link it is, in hex: version, flags, then the clinic's key.
function owner(part) {
  const text = atob(part.replace(/-/g, "+").replace(/_/g, "/").slice(0, 48));
  return [...text.slice(2, 34)]
    .map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

// The picture is this clinic's: it stands above its own links only.
function picture(part) {
  const image = find("picture");
  if (image) {
    image.hidden = owner(part) !== image.dataset.root;
  }
}

function show() {
  const part = location.hash.slice(1);
  const whole = shape.test(part);
  picture(whole ? part : "");
  find("broken").hidden = whole;
  find("app").hidden = !whole;
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = !whole;
  }
  find("patient-link").value = whole ? location.href : "";
  find("clinic-link").value = whole ? `balsam connect '${location.href}'` : "";
  if (whole) {
    find("app").href = `balsam:l#${part}`;
  } else {
    find("app").removeAttribute("href");
  }
}

async function copy(event) {
  const field = find(event.currentTarget.dataset.from);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    find("copied").textContent = find("copied").dataset.yes;
  } catch {
    find("copied").textContent = find("copied").dataset.no;
  }
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", copy);
}
addEventListener("hashchange", show);
show();
