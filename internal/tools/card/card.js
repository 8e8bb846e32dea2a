// The card: it keeps the answer to one question and draws it. The parts of the
// page are there from the start, and only filled and hidden, so that neither
// the focus nor what was typed gets lost.

const $ = (id) => document.getElementById(id);
const main = document.querySelector("main");
const longList = 20; // rows; what is longer scrolls in the card
const mostRows = 100; // that a tool gives at once

const context = {}; // what the host tells of itself
let input;          // the tool's arguments, as far as they came
let answer;         // its structured content, with the pages since appended
let plain;          // or else its text: {text, error}
let round = 0;      // counts answers: what was asked before one came is void
let busy = false;

// The tools whose answers these are, and what of them is a list.
const kinds = {
  list_low_stock: { list: "items", title: "low", heading: "lowItems", none: "noneLow", ask: "askLow", row: lowRow },
  list_expiring: { list: "lots", title: "expiring", heading: "lots", none: "noneExpiring", ask: "askExpiring", row: lotRow },
  check_stock: { list: "stores", title: "stock", heading: "levels", row: levelRow },
};
const toolOf = (a) => Object.keys(kinds).find((tool) => Array.isArray(a[kinds[tool].list])) ?? "check_stock";
const rowsOf = (a) => a[kinds[toolOf(a)].list] ?? [];

// Where the question was about.
const placeOf = (a) => a.store?.name || a.chain || "";

// args are those that ask the same again.
const args = () => input ?? Object.fromEntries(Object.entries({
  product: answer.product?.id, store: answer.store?.id || answer.chain,
}).filter(([, value]) => value));

function show(result) {
  round++;
  answer = undefined;
  plain = undefined;
  const text = (result.content ?? []).filter((c) => c.type === "text").map((c) => c.text).join("\n");
  if (result.structuredContent && !result.isError) answer = result.structuredContent;
  else plain = { text: text || say.failed, error: !!result.isError };
  draw();
}

function draw() {
  for (const e of document.querySelectorAll("[data-say]")) e.textContent = say[e.dataset.say];
  main.ariaBusy = String(busy || !answer && !plain);
  $("ask-store").placeholder = say.storeName;
  drawHead();
  drawSum();
  drawOptions();
  drawList();
  const askable = answer && capabilities && (toolOf(answer) !== "check_stock" || productName());
  $("ask").hidden = !askable;
}

const productName = () => answer?.product?.name || input?.product || "";

function drawHead() {
  const a = answer ?? {};
  const tool = answer ? toolOf(a) : context.toolInfo?.tool?.name;
  const kind = kinds[tool] ?? kinds.check_stock;
  $("title").textContent = tool === "check_stock" && a.product?.name || say[kind.title];
  $("place").textContent = answer ? [
    placeOf(a) || (["in_stock", "out_of_stock", "found", "none"].includes(a.status) ? say.everywhere : ""),
    a.price && price(a.price, a.currency),
    a.product?.sku && say.sku(a.product.sku),
  ].filter(Boolean).join(say.dot) : "";
  document.title = $("title").textContent;
  $("refresh").hidden = !answer || !capabilities?.serverTools;
  $("refresh").ariaDisabled = String(busy);
  $("note").textContent = plain ? plain.text : answer ? noteOf(a, kind) : waiting();
  $("note").className = plain?.error ? "error" : "";
}

function waiting() {
  const what = [input?.store, input?.product].filter((s) => typeof s === "string" && s).join(" ");
  return what ? say.looking(what) : say.loading;
}

// noteOf is what an answer says beside its numbers.
function noteOf(a, kind) {
  const said = (what) => input?.[what] ?? "";
  switch (a.status) {
    case "not_carried": return say.notCarried(placeOf(a), a.product?.name ?? said("product")) + elsewhere(a);
    case "out_of_stock": return elsewhere(a);
    case "none": return say[kind.none];
    case "unknown_store": return say.unknownStore(said("store"));
    case "unknown_product": return say.unknownProduct(said("product"));
    case "ambiguous": return say.ambiguous(said((a.candidates ?? []).some((c) => c.kind === "product") ? "product" : "store"));
  }
  return "";
}

const elsewhere = (a) => placeOf(a) && !a.available_at?.length ? say.nowhere : "";

function drawSum() {
  const counted = Number.isFinite(answer?.available);
  $("sum").hidden = !counted;
  if (!counted) return;
  const { available, reserved, expired, unit } = answer;
  const held = element("span", { className: "muted" }, element("span", { className: "key", ariaHidden: "true" }), say.reserved(number(reserved), unitWord(unit)));
  $("sum-title").textContent = say.stock;
  $("figure").replaceChildren(
    element("b", {}, number(available)),
    element("span", {}, say.available(unitWord(unit)).trim()),
    available > 0 ? "" : element("strong", {}, say.soldOut),
    reserved > 0 ? held : "",
    expired > 0 ? element("span", { className: "muted" }, say.gone(number(expired), unitWord(unit))) : "");
  $("sum-bar").hidden = !(reserved > 0); // else it says nothing
  fill($("sum-bar"), available + reserved, available, reserved);
  drawTime();
}

function drawTime() {
  const time = Date.parse(answer?.as_of);
  $("as-of").replaceChildren(time > 0 ? element("time", { dateTime: answer.as_of }, moment(answer.as_of)) : "");
}

// drawOptions offers what the words may have meant, each to be asked about.
function drawOptions() {
  const { candidates, suggestions, more } = answer ?? {};
  const options = candidates ?? suggestions ?? [];
  $("options").hidden = options.length === 0;
  $("options-title").textContent = candidates ? say.which : say.near;
  $("choices-more").textContent = more ? say.moreOptions : "";
  $("choices").replaceChildren(...options.map((option) => {
    const label = named(option.name, chainOf(option), option.sku && say.sku(option.sku));
    if (!capabilities) return element("li", {}, label);
    return element("li", {}, element("button", { type: "button", onclick: () => ask(questionFor(option)) }, label));
  }));
}

function questionFor(option) {
  const name = option.sku && option.kind === "product" ? `${option.name} (${option.sku})` : option.name;
  if (option.kind === "product") return say.askStock(tame(name), tame(placeOf(answer) || input?.store));
  return questionAbout(name);
}

// questionAbout asks the same of a place.
function questionAbout(place) {
  const kind = kinds[toolOf(answer)];
  return kind.ask ? say[kind.ask](tame(place)) : say.askStock(tame(productName()), tame(place));
}

// tame keeps a name from becoming more than a name in what the user says.
const tame = (name) => String(name ?? "").replace(/[\p{C}\s]+/gu, " ").trim().slice(0, 80);

async function ask(question) {
  try {
    await tellChat(question);
    tell(say.asked);
    return true;
  } catch {
    tell(say.askFailed);
  }
}

function tell(text) {
  $("said").textContent = text;
}

function drawList() {
  const a = answer ?? {};
  const tool = toolOf(a);
  const own = rowsOf(a);
  const list = own.length ? own : a.available_at ?? [];
  $("list").hidden = list.length === 0;
  const kind = kinds[tool];
  $("list-title").textContent = own.length ? say[kind.heading] : say.elsewhere;
  $("filter").placeholder = $("filter").ariaLabel = tool === "check_stock" ? say.filterStores : say.filterItems;
  $("filter").hidden = list.length <= 5 && !a.next_cursor && !$("filter").value;

  const wanted = fold($("filter").value.trim());
  const fits = (thing) => [thing.name, thing.chain, thing.store?.name, thing.store?.chain, thing.product?.name, thing.product?.sku]
    .some((text) => text && fold(String(text)).includes(wanted));
  const matching = $("filter").hidden || !wanted ? list : list.filter(fits);
  const facts = {
    unit: a.unit, threshold: input?.threshold, oneStore: !!a.store,
    whole: list.reduce((most, level) => Math.max(most, (level.available ?? 0) + (level.reserved ?? 0)), 1),
  };
  const rows = $("rows");
  rows.replaceChildren(...groups(matching).flatMap(([title, things]) =>
    [title, element("ul", { role: "list" }, ...things.map((thing) => kind.row(thing, facts)))]));
  rows.className = matching.length > longList ? "long" : "";
  rows.tabIndex = rows.className ? 0 : -1; // what scrolls must be reached by keyboard
  $("shown").textContent = $("filter").hidden ? "" : matching.length ? say.shown(matching.length, list.length, !!a.next_cursor) : say.noMatch;
  $("more").hidden = !a.next_cursor || !capabilities?.serverTools || !own.length;
  $("more").textContent = say.more;
  $("more").ariaDisabled = String(busy);
}

// groups parts lots by how far gone they are; of everything else it makes one.
function groups(things) {
  if (!things.some((thing) => thing.state)) return things.length ? [["", things]] : [];
  return [...Map.groupBy(things, (lot) => lot.state)].map(([state, lots]) => [stateTitle(state, lots.length), lots]);
}

// fetchPage asks the tool again, and returns its structured content unless
// another answer has come since.
async function fetchPage(extra = {}) {
  const now = round;
  const result = await callTool(toolOf(answer), { ...args(), ...extra });
  if (now !== round) return undefined;
  if (result.isError || !result.structuredContent) throw new Error("no answer");
  return result.structuredContent;
}

// append adds the next page to the answer.
async function append() {
  const page = await fetchPage({ cursor: answer.next_cursor, limit: mostRows });
  if (!page) return 0;
  const list = kinds[toolOf(answer)].list;
  const added = page[list] ?? [];
  answer = { ...answer, [list]: [...answer[list], ...added], next_cursor: page.next_cursor };
  return added.length;
}

// refresh asks anew, for as many rows as there were.
async function refresh() {
  const had = rowsOf(answer).length;
  const fresh = await fetchPage();
  if (!fresh) return;
  answer = fresh;
  while (rowsOf(answer).length < had && answer.next_cursor && await append());
}

// work does one thing with the host at a time, and tells how it ended.
async function work(deed) {
  if (busy) return;
  busy = true;
  draw();
  try {
    tell(await deed());
  } catch {
    tell(say.failed);
  }
  busy = false;
  draw();
}

// follow takes up what the host tells of itself.
function follow(news) {
  Object.assign(context, news);
  speak(context.locale);
  const root = document.documentElement;
  root.dataset.mode = context.displayMode ?? "inline";
  if (["light", "dark"].includes(context.theme)) root.dataset.theme = context.theme;
  dress(root, context.styles?.variables ?? {});
  const inset = context.safeAreaInsets ?? {};
  for (const side of ["top", "right", "bottom", "left"]) root.style.setProperty(`padding-${side}`, `${Number(inset[side]) || 0}px`);
  draw();
}

// dress puts on the host's variables, but no colours that can't be read.
function dress(root, variables) {
  for (const name of [...root.style].filter((name) => name.startsWith("--"))) root.style.removeProperty(name);
  const given = Object.entries(variables).filter(([name, value]) => /^--(color|font|border)-[\w-]+$/.test(name) && typeof value === "string" && !/url\(/i.test(value));
  for (const [name, value] of given) root.style.setProperty(name, value);
  if (!readable(root)) for (const [name] of given) if (name.startsWith("--color-")) root.style.removeProperty(name);
}

// readable reports whether colours differ as WCAG 2.2 asks: 1.4.3 for texts,
// 1.4.11 for bars and the focus.
function readable(root) {
  const pen = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const luminance = (variable) => {
    root.style.setProperty("caret-color", `var(${variable})`); // to have it computed
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = getComputedStyle(root).caretColor;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, alpha] = pen.getImageData(0, 0, 1, 1).data;
    const [R, G, B] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return alpha === 255 ? 0.2126 * R + 0.7152 * G + 0.0722 * B : NaN;
  };
  const differ = ([a, b, least]) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05) >= least;
  };
  const ok = [
    ["--fg", "--bg", 4.5], ["--muted", "--bg", 4.5], ["--danger", "--bg", 4.5], ["--warn", "--bg", 4.5],
    ["--fg", "--soft", 4.5], ["--bar", "--bg", 3], ["--focus", "--bg", 3],
  ].every(differ);
  root.style.removeProperty("caret-color");
  return ok;
}

$("refresh").onclick = () => work(async () => { await refresh(); return say.refreshed; });
$("more").onclick = () => work(async () => say.added(number(await append())));
$("filter").oninput = () => drawList();

async function askTyped() {
  const place = tame($("ask-store").value);
  if (!place) {
    $("ask-store").focus();
    tell(say.askEmpty);
  } else if (await ask(questionAbout(place))) {
    $("ask-store").value = "";
  }
}
$("ask-send").onclick = askTyped;
$("ask-store").onkeydown = (event) => {
  if (event.key === "Enter" && !event.isComposing) askTyped();
};

listen({
  "ui/notifications/tool-input-partial": ({ arguments: given }) => { input = given ?? {}; draw(); },
  "ui/notifications/tool-input": ({ arguments: given }) => { input = given ?? {}; draw(); },
  "ui/notifications/tool-result": show,
  "ui/notifications/tool-cancelled": () => { round++; answer = undefined; plain = { text: say.cancelled }; draw(); },
  "ui/notifications/host-context-changed": follow,
});
follow({});
setInterval(drawTime, 60_000);
if (window.parent !== window) greet(follow).catch(() => { /* it may show results all the same */ });
