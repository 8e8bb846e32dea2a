// What the card says, and how it writes numbers and dates.

const texts = {
  zh: {
    stock: "庫存", low: "缺貨清單", expiring: "即期品",
    loading: "正在查詢…", looking: (what) => `正在查詢${what}…`,
    cancelled: "查詢已取消。", failed: "查詢沒有成功。",
    everywhere: "全部門市",
    available: (unit) => `${unit} 可販售`, reserved: (n, unit) => `另有 ${n}${unit && " " + unit} 已保留`,
    held: (n) => `保留 ${n}`,
    gone: (n, unit) => `另有 ${n}${unit && " " + unit} 已過期`, old: (n) => `過期 ${n}`,
    soldOut: "缺貨", sku: (sku) => `貨號 ${sku}`,
    asOf: (exact, relative) => `最近異動：${relative}（${exact}）`,
    levels: "各門市庫存", elsewhere: "有貨的其他門市", lowItems: "要補貨的商品", lots: "依到期日",
    notCarried: (place, product) => place ? `${place}沒有販售${product}。` : `沒有門市販售${product}。`,
    nowhere: "其他門市也沒有。",
    noneLow: "沒有缺貨的商品。", noneExpiring: "沒有即期或過期的商品。",
    ambiguous: (said) => `「${said}」可能指好幾個。`, which: "請問是哪一個？",
    unknownStore: (said) => `找不到門市「${said}」。`, unknownProduct: (said) => `找不到商品「${said}」。`,
    near: "您是不是要找", moreOptions: "還有更多，請說得更完整一點。",
    refresh: "重新整理", refreshed: "已更新。", more: "載入更多",
    filterStores: "篩選門市", filterItems: "篩選門市或商品",
    shown: (n, total, more) => (n === total ? "" : `顯示 ${number(n)} 筆，`) + `${more ? "已載入" : "共"} ${number(total)} 筆`, noMatch: "沒有符合的項目。",
    added: (n) => `又載入 ${n} 筆。`,
    askElsewhere: "問另一家門市", storeName: "門市名稱", ask: "詢問",
    asked: "已交給對話。", askFailed: "對話沒有收下這個問題，請直接在對話中詢問。", askEmpty: "請先輸入門市名稱。",
    askStock: (product, store) => store ? `請查 ${store} 的${product}還有幾個` : `請查${product}還有幾個`,
    askLow: (store) => `請列出 ${store} 的缺貨商品`, askExpiring: (store) => `請列出 ${store} 的即期品`,
    reorder: (n) => `補貨點 ${n}`, atMost: (n) => `門檻 ${n}`, short: (n) => `少 ${n}`,
    expired: "已過期", today: "今天到期", soon: "即將到期", lot: (n) => `${n} 批`,
    days: (n) => n < 0 ? `過期 ${-n} 天` : n ? `${n} 天後` : "今天",
    expires: (day, left) => `${day}（${left}）`,
    dot: "・",
  },
  en: {
    stock: "Stock", low: "Low stock", expiring: "Expiring stock",
    loading: "Looking it up…", looking: (what) => `Looking up ${what}…`,
    cancelled: "Cancelled.", failed: "That did not work.",
    everywhere: "All stores",
    available: (unit) => `${unit} available`, reserved: (n) => `${n} more reserved`,
    held: (n) => `${n} reserved`,
    gone: (n) => `${n} more have expired`, old: (n) => `${n} expired`,
    soldOut: "sold out", sku: (sku) => `SKU ${sku}`,
    asOf: (exact, relative) => `Last changed ${relative} (${exact})`,
    levels: "By store", elsewhere: "Available elsewhere", lowItems: "To reorder", lots: "By expiry date",
    notCarried: (place, product) => `${place || "No store"} ${place ? "does not carry" : "carries"} ${product}.`,
    nowhere: "No other store has it.",
    noneLow: "Nothing is running out.", noneExpiring: "Nothing is expiring soon.",
    ambiguous: (said) => `“${said}” could be several things.`, which: "Which one?",
    unknownStore: (said) => `There is no store “${said}”.`, unknownProduct: (said) => `There is no product “${said}”.`,
    near: "Did you mean", moreOptions: "There are more: please say it in full.",
    refresh: "Refresh", refreshed: "Up to date.", more: "Load more",
    filterStores: "Filter stores", filterItems: "Filter stores or products",
    shown: (n, total, more) => (n === total ? "" : `${number(n)} of `) + `${number(total)} ${more ? "loaded" : "in all"}`, noMatch: "Nothing matches.",
    added: (n) => `${n} more loaded.`,
    askElsewhere: "Ask about another store", storeName: "Name of the store", ask: "Ask",
    asked: "Passed on to the chat.", askFailed: "The chat did not take the question: please ask there.", askEmpty: "Please type the name of a store.",
    askStock: (product, store) => store ? `How many ${product} are left at ${store}?` : `How many ${product} are left?`,
    askLow: (store) => `What is running low at ${store}?`, askExpiring: (store) => `What is expiring soon at ${store}?`,
    reorder: (n) => `reorder at ${n}`, atMost: (n) => `at most ${n}`, short: (n) => `${n} short`,
    expired: "Expired", today: "Expires today", soon: "Expires soon", lot: (n) => n,
    days: (n) => n === 0 ? "today" : `${Math.abs(n)} day${Math.abs(n) === 1 ? "" : "s"}${n < 0 ? " ago" : ""}`,
    expires: (day, left) => `${day} (${left})`,
    dot: " · ",
  },
};

let say;    // texts in the reader's language
let locale; // and how numbers and dates are written

// speak takes up a language, which may be missing or nonsense.
function speak(wanted) {
  const tag = String(wanted || navigator.language || "zh").replaceAll("_", "-");
  const zh = /^zh\b/i.test(tag);
  say = zh ? texts.zh : texts.en;
  locale = zh ? "zh-TW" : "en";
  try {
    if (/^en\b/i.test(tag)) [locale] = Intl.getCanonicalLocales(tag);
  } catch { /* then it's plain English */ }
  document.documentElement.lang = zh ? "zh-Hant-TW" : "en";
}

const number = (n) => new Intl.NumberFormat(locale).format(n);

// price writes a decimal as it came: a float would round it.
function price(amount, currency) {
  try {
    return new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: 0, maximumFractionDigits: 20 }).format(amount);
  } catch {
    return [amount, currency].filter(Boolean).join(" ");
  }
}

// unitWord is a unit that the reader can read: in English, none in Chinese.
const unitWord = (unit = "") => say === texts.en && /\p{Script=Han}/u.test(unit) ? "" : unit;

// moment writes a time of an answer, as the clocks in the shops showed it and as
// how long ago it was.
function moment(text, now = Date.now()) {
  const time = Date.parse(text);
  const [offset, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? ["+00:00", "+", 0, 0];
  const there = time + `${sign}60000` * (60 * hours + 1 * minutes); // in UTC it reads as in the shops
  const exact = `${new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" }).format(there)} ${offset}`;
  const seconds = Math.min(0, (time - now) / 1000); // clocks differ: nothing was in the future
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => -seconds >= length) ?? ["second", 60];
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
  return say.asOf(exact, relative);
}

// day writes a date that has no time: in UTC it stays the same day.
function day(date) {
  const time = Date.parse(date);
  return isNaN(time) ? String(date) : new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", weekday: "short", timeZone: "UTC" }).format(time);
}

// fold makes alike what people type alike.
const fold = (text) => text.normalize("NFKC").toLowerCase().replaceAll("臺", "台");

