package tools

import "github.com/mcpstore/mcpstore/internal/store"

// maxNumber is the greatest number of a movement or a reservation that JSON
// carries exactly.
const maxNumber = 1<<53 - 1

// Parameters that several tools share. Of a change, the store is one store and
// no chain.

func storeParam[In any](of func(*In) *string) param[In] {
	return param[In]{name: "store", required: true, example: `"KOKO便利店 大安店"`, maxLength: 200,
		description: "One store: name or ID", text: of}
}

func productParam[In any](of func(*In) *string) param[In] {
	return param[In]{name: "product", required: true, example: `"茶葉蛋"`, maxLength: 200,
		description: "Name, SKU, barcode or ID", text: of}
}

func noteParam[In any](of func(*In) *string) param[In] {
	return param[In]{name: "note", private: true, example: `"客人預訂"`, maxLength: store.MaxNote, text: of}
}
