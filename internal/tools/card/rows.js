// What a list is made of. Every text comes from somebody's stock list and may be
// anything: it becomes text, never markup.

function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children.filter((c) => c !== "" && c != null));
  return e;
}

const small = (...texts) => {
  const text = texts.filter(Boolean).join(say.dot);
  return text && element("small", {}, text);
};

// fill draws a bar's parts as shares of a whole.
function fill(bar, whole, ...parts) {
  parts.forEach((part, i) => {
    const percent = whole > 0 ? Math.min(100, Math.max(0, 100 * part / whole)) : 0;
    bar.children[i].style.setProperty("width", `${percent.toFixed(2)}%`);
  });
}

// drawnBar is a bar. It says nothing that the number beside it doesn't, so that
// a screen reader passes over it.
function drawnBar(whole, available, reserved = 0, kind = "") {
  const bar = element("span", { className: `bar ${available > 0 ? "" : kind}`, ariaHidden: "true" },
    element("span", { className: `available ${kind}` }), element("span", { className: "reserved" }));
  fill(bar, whole, available, reserved);
  return bar;
}

const count = (n, unit, ...notes) => element("span", { className: "count" },
  element("b", {}, number(n)), unitWord(unit) && ` ${unitWord(unit)}`, small(...notes));

const named = (name, ...notes) => element("span", {}, name ?? "", " ", small(...notes));

// chainOf is a store's chain, unless its name begins with it.
const chainOf = ({ name, chain }) => chain && !String(name).startsWith(chain) ? chain : "";

// Each of the following turns one kind of thing into a row.

function levelRow(level, { unit, whole }) {
  const held = level.reserved > 0 ? say.held(number(level.reserved)) : "";
  const old = level.expired > 0 ? say.old(number(level.expired)) : "";
  return element("li", { className: level.available > 0 ? "" : "none" },
    named(level.name, chainOf(level)), " ",
    drawnBar(whole, level.available, level.reserved), " ",
    count(level.available, unit, level.available > 0 ? "" : say.soldOut, held, old));
}

function lowRow(item, { threshold, oneStore }) {
  const want = threshold ?? item.reorder_point;
  return element("li", {},
    named(item.product?.name, !oneStore && item.store?.name), " ",
    drawnBar(Math.max(want, item.available), item.available, 0, "short"), " ",
    count(item.available, item.unit,
      (threshold === undefined ? say.reorder : say.atMost)(number(want)),
      item.shortfall > 0 ? say.short(number(item.shortfall)) : "",
      item.expired > 0 ? say.old(number(item.expired)) : ""));
}

function lotRow(lot, { oneStore }) {
  return element("li", { className: "plain" },
    named(lot.product?.name, !oneStore && lot.store?.name), " ",
    element("span", { className: "count" },
      element("b", {}, number(lot.on_hand)), unitWord(lot.unit) && ` ${unitWord(lot.unit)}`,
      element("small", {}, element("time", { dateTime: lot.expiry }, say.expires(day(lot.expiry), say.days(lot.days_left))))));
}

// stateTitle tells states apart by shape and word, and only then by colour.
const stateTitle = (state, n) => element("h3", {},
  element("span", { className: `mark ${state}`, ariaHidden: "true" }, { expired: "✕", today: "!", soon: "…" }[state] ?? ""),
  `${say[state] ?? state}${say.dot}${say.lot(number(n))}`);

