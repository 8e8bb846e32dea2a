package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/mcpstore/mcpstore/internal/store"
)

// What generated names are put together from: a taste, what it is of, and what
// it is, each of one to three characters, with names of three to seven in all.
var (
	tastes = strings.Fields(`
		原味 麻辣 香辣 蜂蜜 海鹽 黑糖 焦糖 抹茶 芝麻 花生 草莓 藍莓 芒果 鳳梨 檸檬 柳橙 葡萄 蘋果 水蜜桃 荔枝
		香草 可可 摩卡 榛果 杏仁 核桃 紅豆 綠豆 芋頭 地瓜 南瓜 玉米 起司 奶油 咖哩 蒜香 蔥香 胡椒 泡菜 海苔
		柴魚 味噌 照燒 燒烤 炭烤 椒鹽 酸辣 糖醋 三杯 沙茶 冰釀 手工 古早 經典 特濃 輕食 無糖 低脂 高鈣 有機
		日式 韓式 泰式 川味 台式 義式 法式 港式 鮮 香 甜 辣 脆 濃 冰 烤 滷 炸 蒸 陳年`)
	stuffs = strings.Fields(`
		茶葉 牛奶 豆漿 米 麥 雞 雞腿 雞胸 牛肉 豬肉 羊肉 鮪魚 鮭魚 鱈魚 蝦 蝦仁 花枝 干貝 蟹肉 豆腐 豆干 香菇 金針菇
		洋蔥 番茄 馬鈴薯 高麗菜 菠菜 蘿蔔 海帶 竹筍 蓮藕 薏仁 燕麥 糙米 紫米 蕎麥 糯米 桂圓 紅棗 枸杞 人參 菊花 玫瑰
		茉莉 烏龍 普洱 紅茶 綠茶 咖啡 巧克力 布丁 優格 乳酪 椰子 香蕉 木瓜 西瓜 梅子 蔓越莓 奇異果 火龍果 百香果 柚子 金桔
		山藥 芥末 九層塔 迷迭香 羅勒 薄荷 薑 桂花 洛神 仙草 愛玉 蒟蒻 粉圓 珍珠 湯圓 年糕 肉鬆 魚鬆 火腿 培根 香腸`)
	things = strings.Fields(`
		蛋 糖 茶 酥 捲 餅 糕 麵 飯 湯 粥 醬 油 粉 汁 露 凍 冰 酒 醋 片 條 球 串 包 餅乾 蛋糕 麵包 吐司 飯糰 便當 沙拉
		壽司 三明治 漢堡 水餃 鍋貼 燒賣 包子 饅頭 泡麵 拉麵 烏冬 米粉 冬粉 河粉 濃湯 火鍋 關東煮 洋芋片 爆米花 軟糖 硬糖 口香糖
		果凍 布丁 奶茶 奶昔 冰棒 冰淇淋 雪糕 汽水 果汁 氣泡水 咖啡 優酪乳 豆花 茶包 能量棒 麥片 堅果 罐頭 抹醬 果醬 調味料`)
	englishTastes = strings.Fields(`Spicy Honey Salted Caramel Sesame Peanut Lemon Grape Roasted Classic Smoked Sweet`)
	englishThings = strings.Fields(`Tea Egg Cookie Noodle Rice Soup Candy Bread Milk Juice Chips Cake Jelly Coffee Yogurt`)
)

// Large returns a catalog of the given size, the same one each time, in which
// every shop carries every product. Shops are named in chains of 250.
func Large(shops, products int) store.Catalog {
	var c store.Catalog
	for i := range shops {
		c.Shops = append(c.Shops, largeShop(i))
	}
	for i := range products {
		c.Products = append(c.Products, largeProduct(i))
	}
	c.Levels = make([]store.CatalogLevel, 0, shops*products)
	asOf := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	for i := range c.Shops {
		for j := range c.Products {
			n := scatter(i*products + j)
			l := store.CatalogLevel{ShopID: c.Shops[i].ID, ProductID: c.Products[j].ID, AsOf: asOf}
			if n%7 != 0 {
				l.OnHand = int64(n % 40)
				l.Reserved = min(l.OnHand, int64(n/40%3))
			}
			c.Levels = append(c.Levels, l)
		}
	}
	return c
}

func largeShop(i int) store.Shop {
	chain := fmt.Sprintf("第%d便利", i/250+1)
	n := scatter(i)
	return store.Shop{
		ID:       fmt.Sprintf("shop-%04d", i),
		Name:     fmt.Sprintf("%s %s%d店", chain, stuffs[n%len(stuffs)], i),
		Chain:    chain,
		Address:  fmt.Sprintf("臺北市中山路%d號", i+1),
		Location: &store.Location{Latitude: 22 + float64(n%3000)/1000, Longitude: 120 + float64(n/3000%2000)/1000},
		Hours:    "24 小時",
		Aliases:  []string{fmt.Sprintf("Shop %d", i)},
	}
}

func largeProduct(i int) store.Product {
	// Neighbours differ in all three parts, and no name comes twice until all
	// have come once.
	parts := len(tastes) * len(stuffs) * len(things)
	k := i % parts * 7919 % parts
	p := store.Product{
		ID:           fmt.Sprintf("product-%06d", i),
		SKU:          fmt.Sprintf("S%07d", i),
		Name:         tastes[k%len(tastes)] + stuffs[k/len(tastes)%len(stuffs)] + things[k/len(tastes)/len(stuffs)],
		Category:     things[i%20],
		Unit:         "個",
		Price:        fmt.Sprint(10 + i%190),
		Currency:     "TWD",
		Barcodes:     []string{ean13(471900000000 + i)},
		ReorderPoint: int64(i % 10),
	}
	if i%10 == 0 {
		p.Names = map[string]string{"en": fmt.Sprintf("%s %s %d",
			englishTastes[i/10%len(englishTastes)], englishThings[i/120%len(englishThings)], i)}
	}
	return p
}

// scatter returns a number that looks like chance, the same one for each i.
func scatter(i int) int {
	x := uint64(i) * 0x9E3779B97F4A7C15
	x ^= x >> 31
	x *= 0xBF58476D1CE4E5B9
	return int(x >> 34)
}

// ean13 returns the twelve digits of n with their check digit.
func ean13(n int) string {
	digits := fmt.Sprintf("%012d", n)
	sum := 0
	for i := range digits {
		d := int(digits[i] - '0')
		if i%2 == 1 {
			d *= 3
		}
		sum += d
	}
	return fmt.Sprint(digits, (10-sum%10)%10)
}
