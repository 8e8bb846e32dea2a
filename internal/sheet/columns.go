package sheet

import (
	"regexp"
	"strings"
	"sync"

	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// column is one of the columns that a sheet can have, other than names in
// other languages.
type column int

// The columns in the order in which they are written.
const (
	colStore column = iota
	colProduct
	colQuantity
	colUnit
	colExpiry
	colPrice
	colCurrency
	colBarcode
	colSKU
	colCategory
	colReorderPoint
	colAliases
	colStoreID
	colStoreAliases
	colChain
	colChainAliases
	colAddress
	colHours
	colLatitude
	colLongitude
	colProductID
	columnCount
)

// columns has for each column its name, and the headers that it is known by,
// of which the first is written in Chinese sheets. Headers are compared folded,
// so that width, case, spaces, marks and 繁/簡 do not count.
var columns = [columnCount]struct{ name, headers string }{
	colStore:        {store.ColumnStore, "店名|門市|門市名稱|門店|門店名稱|分店|分店名稱|商店|商店名稱|店舖|店鋪|店舖名稱|店鋪名稱|店家|店別|店面|據點|倉庫|倉庫名稱|倉別|store|store name|shop|shop name|branch|branch name|outlet|location|warehouse"},
	colProduct:      {store.ColumnProduct, "品名|商品|商品名稱|商品名|產品|產品名稱|產品名|品項|品項名稱|貨品|貨品名稱|貨名|物品|物品名稱|物料名稱|商品品名|品名規格|中文品名|名稱|product|product name|item|item name|article|goods|name"},
	colQuantity:     {store.ColumnQuantity, "數量|庫存|庫存量|庫存數|庫存數量|現有庫存|現有庫存量|現有量|現有數量|現存量|現存數量|在庫|在庫量|在庫數|在庫數量|存量|結存|結存量|結存數量|期末庫存|目前庫存|當前庫存|即時庫存|實際庫存|帳面庫存|店內庫存|門市庫存|盤點數量|盤點量|剩餘數量|qty|quantity|stock|stocks|on hand|qty on hand|quantity on hand|stock on hand|on hand qty|stock qty|stock quantity|stock level|inventory|in stock|count|soh"},
	colUnit:         {store.ColumnUnit, "單位|計量單位|銷售單位|庫存單位|單位名稱|unit|units|uom|unit of measure"},
	colExpiry:       {store.ColumnExpiry, "效期|有效日期|有效期限|有效期|有效期至|到期日|到期日期|保存期限|失效日期|失效日|賞味期限|使用期限|截止日期|expiry|expiry date|expiration|expiration date|exp|exp date|expires|expire date|best before|best before date|use by|use by date|bbd"},
	colPrice:        {store.ColumnPrice, "售價|單價|零售價|價格|價錢|商品單價|商品售價|門市售價|銷售價|price|unit price|retail price|selling price|sales price"},
	colCurrency:     {store.ColumnCurrency, "幣別|幣種|貨幣|currency|currency code"},
	colBarcode:      {store.ColumnBarcode, "條碼|國際條碼|商品條碼|產品條碼|條碼號|條碼編號|條碼號碼|國際碼|條形碼|barcode|barcodes|bar code|product barcode|ean|ean13|ean code|gtin|upc|upc code|jan|jan code"},
	colSKU:          {store.ColumnSKU, "貨號|商品編號|商品代號|商品代碼|商品號碼|產品編號|產品代號|產品代碼|品號|料號|品項編號|貨品編號|貨品代號|物料編號|品編|店內碼|自編碼|sku|sku code|item code|item no|item number|product code|product no|product number|part no|part number|article no|article number|plu"},
	colCategory:     {store.ColumnCategory, "分類|類別|商品分類|商品類別|產品分類|產品類別|分類名稱|類別名稱|大類|品類|部門|category|product category|department|dept"},
	colReorderPoint: {store.ColumnReorderPoint, "補貨點|再訂購點|訂購點|安全庫存|安全庫存量|安全存量|最低庫存|最低庫存量|最低存量|最小庫存|庫存下限|reorder point|reorder level|reorder|min stock|minimum stock|safety stock|min qty|minimum qty|par level"},
	colAliases:      {store.ColumnAliases, "別名|俗名|又名|別稱|商品別名|產品別名|品名別名|商品俗名|aliases|alias|product aliases|product alias|also known as|aka"},
	colStoreID:      {store.ColumnStoreID, "門市代號|門市編號|門市代碼|門市ID|店號|店代號|店代碼|店編號|店舖編號|店鋪編號|店舖代號|店鋪代號|分店代號|分店編號|分店代碼|門店編號|門店代號|門店代碼|商店代號|商店編號|商店代碼|倉庫代號|倉庫編號|store id|store code|store no|store number|shop id|shop code|shop no|branch id|branch code|branch no"},
	colStoreAliases: {store.ColumnStoreAliases, "門市別名|店別名|店名別名|分店別名|門店別名|商店別名|門市俗名|門市簡稱|store aliases|store alias|shop aliases|shop alias|branch aliases|branch alias"},
	colChain:        {store.ColumnChain, "連鎖|連鎖名稱|連鎖品牌|連鎖體系|連鎖店|體系|chain|chain name|store chain|store brand"},
	colChainAliases: {store.ColumnChainAliases, "連鎖別名|連鎖俗名|連鎖簡稱|chain aliases|chain alias"},
	colAddress:      {store.ColumnAddress, "地址|門市地址|店址|分店地址|門店地址|商店地址|店舖地址|店鋪地址|住址|address|store address|shop address|street address"},
	colHours:        {store.ColumnHours, "營業時間|營業時段|開放時間|hours|opening hours|business hours|store hours|open hours"},
	colLatitude:     {store.ColumnLatitude, "緯度|門市緯度|latitude|lat"},
	colLongitude:    {store.ColumnLongitude, "經度|門市經度|longitude|lng|lon"},
	colProductID:    {store.ColumnProductID, "商品ID|產品ID|品項ID|product id|item id"},
}

// storeList has the headers that mean something else, or anything at all, only
// in a list of stores. There, 名稱 is the store's.
var storeList = map[column]string{
	colStore:        "名稱|name",
	colStoreID:      "編號|代號|代碼|id|code|no",
	colStoreAliases: "別名|俗名|又名|簡稱|aliases|alias",
	colChain:        "品牌|brand",
}

// languages are those by whose names a header can say which language the names
// under it are in.
var languages = map[string]string{
	"en": "英文|英語|english", "ja": "日文|日語|japanese", "ko": "韓文|韓語|korean",
	"vi": "越南文|越文|越南語|vietnamese", "th": "泰文|泰語|thai", "id": "印尼文|印尼語|indonesian",
	"tl": "菲律賓文|tagalog", "fr": "法文|french", "de": "德文|german", "es": "西班牙文|spanish",
}

// Column is a column that sheets can have.
type Column struct {
	Name    string   // as [Options.Map] takes it
	Headers []string // that it is known by, of which the first is written
}

// Columns returns the columns that sheets can have.
func Columns() []Column {
	var all []Column
	for _, c := range columns {
		all = append(all, Column{c.name, strings.Split(c.headers, "|")})
	}
	return append(all, Column{store.ColumnNames + "en", []string{chineseNames + "en", "英文品名", "English name"}})
}

func columnNames() []string {
	var names []string
	for _, c := range Columns() {
		names = append(names, c.Name)
	}
	return names
}

// meaning is what a header means: a column, or names in a language.
type meaning struct {
	column   column
	language string // if not "", names in it
}

// name is what [store.Sheet.Columns] calls it.
func (m meaning) name() string {
	if m.language != "" {
		return store.ColumnNames + m.language
	}
	return columns[m.column].name
}

// known has the meaning of every folded header.
var known = sync.OnceValue(func() map[string]meaning {
	all := make(map[string]meaning)
	for c, about := range columns {
		for _, header := range strings.Split(about.headers, "|") {
			all[fold.String(header)] = meaning{column: column(c)}
		}
	}
	for tag, names := range languages {
		for _, name := range strings.Split(names, "|") {
			for _, pattern := range []string{"*品名", "*名稱", "*名", "*商品名稱", "品名*", "名稱*", "商品名稱*", "* name", "* product name", "name *", "product name *"} {
				all[fold.String(strings.ReplaceAll(pattern, "*", name))] = meaning{language: tag}
			}
		}
	}
	return all
})

// knownInStoreList has what headers mean in a list of stores.
var knownInStoreList = sync.OnceValue(func() map[string]meaning {
	all := make(map[string]meaning)
	for c, headers := range storeList {
		for _, header := range strings.Split(headers, "|") {
			all[fold.String(header)] = meaning{column: c}
		}
	}
	return all
})

// chineseNames is what [store.ColumnNames] is in a Chinese sheet.
const chineseNames = "品名:"

// languageTag matches a header such as "name:en" or "品名:zh-Hant".
var languageTag = regexp.MustCompile(`^(?i:name|product name|品名|商品名稱|名稱) ?[:：_] ?([a-zA-Z]{2,3}(?:-[a-zA-Z0-9]{2,8})*)$`)

// mean returns what a header means.
func mean(header string) (meaning, bool) {
	header = strings.TrimSpace(header)
	if m := languageTag.FindStringSubmatch(header); m != nil {
		return meaning{language: m[1]}, true
	}
	if m, ok := known()[fold.String(header)]; ok {
		return m, true
	}
	whole, inBrackets := splitBrackets(header)
	if m, ok := known()[fold.String(whole)]; ok {
		return m, true
	}
	// Names of the same thing in two languages: "品名/Product", "條碼 (EAN)",
	// "商品名稱 Product Name".
	parts := append(strings.FieldsFunc(whole, func(r rune) bool { return strings.ContainsRune("/／|\n", r) }), inBrackets)
	if i := strings.IndexFunc(whole, func(r rune) bool { return r < 0x80 && r >= 'A' }); i > 0 && whole[i-1] == ' ' {
		parts = append(parts, whole[:i], whole[i:])
	}
	var found meaning
	ok := false
	for _, part := range parts {
		m, is := known()[fold.String(part)]
		if is && ok && m != found {
			return meaning{}, false
		}
		if is {
			found, ok = m, true
		}
	}
	return found, ok
}

// splitBrackets takes what stands in brackets, such as a unit, out of a header.
func splitBrackets(header string) (whole, inBrackets string) {
	open := strings.IndexAny(header, "([{（［【〔")
	if open < 0 {
		return header, ""
	}
	end := strings.LastIndexAny(header, ")]}）］】〕")
	if end < open {
		return header, ""
	}
	return header[:open] + header[end:], header[open:end]
}

// mapKey returns which column a user means by key.
func mapKey(key string) (meaning, bool) {
	if tag, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(key)), store.ColumnNames); ok && tag == "" {
		return meaning{}, false
	}
	return mean(key)
}
