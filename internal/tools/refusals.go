package tools

import (
	"context"
	"errors"

	"github.com/mcpstore/mcpstore/internal/store"
)

// code says why a change was refused. Programs tell refusals apart by it: one
// that is here keeps its name and its meaning.
type code string

const (
	// An argument is wrong, or asks for what no stock allows.
	codeInvalidArgument code = "invalid_argument"
	// No store or product is called that; suggestions are spelled much like it.
	codeUnknownStore   code = "unknown_store"
	codeUnknownProduct code = "unknown_product"
	// Several fit the words, or they name a whole chain: candidates.
	codeAmbiguousStore   code = "ambiguous_store"
	codeAmbiguousProduct code = "ambiguous_product"
	// No movement or reservation has this number.
	codeUnknownMovement    code = "unknown_movement"
	codeUnknownReservation code = "unknown_reservation"
	// The store does not carry the product, so that nothing can be taken.
	codeNotCarried code = "not_carried"
	// Less is there than asked for: on_hand, reserved and available say how
	// much and, where only the lot of an expiry date was meant, lot.
	codeInsufficientStock code = "insufficient_stock"
	// The movement was undone before or is itself an undo, the lot to be sold has
	// expired, the reservation was released before, or the idempotency key belongs to another change.
	codeConflict code = "conflict"
	// The reservation had lapsed.
	codeReservationExpired code = "reservation_expired"
	// The confirmation is none, or is for something else, or is too old, or
	// was used before.
	codeConfirmationInvalid code = "confirmation_invalid"
	// The caller may not do this, at least not without signing in anew.
	codeInsufficientScope code = "insufficient_scope"
	// Something else kept the database for as long as a call may take. Nothing
	// was changed; the same call works once it lets go.
	codeBusy code = "busy"
	// The disk has no room. Nothing was changed, and nothing will be before the
	// owner makes room.
	codeDiskFull code = "disk_full"
	// The server's database file was moved, removed or replaced. The change is
	// not in the file that is there now, and none will be before the owner has
	// looked after it.
	codeDatabaseReplaced code = "database_replaced"
)

// refused is a change that was refused: an error, and what programs are told.
type refused struct {
	Status   status      `json:"status"` // always statusRefused
	Code     code        `json:"code"`
	Message  string      `json:"message"` // for people and models: what to do next
	Store    *shopRef    `json:"store,omitempty"`
	Product  *productRef `json:"product,omitempty"`
	*amounts             // what is there
	Asked    int64       `json:"asked,omitempty"`
	Expiry   store.Date  `json:"expiry,omitempty"`
	Lot      *int64      `json:"lot,omitempty"`
	choices

	err error // what failed, for the log; nil where nothing did
}

func (r *refused) Error() string { return r.Message }

func refuse(c code, text string) *refused {
	return &refused{Status: statusRefused, Code: c, Message: text}
}

// refusal is what to tell of a change that the store answered with err, which
// is err itself where it is not known what became of the change.
func (h *handler) refusal(ctx context.Context, p plan, err error) error {
	var short *store.InsufficientError
	var invalid *store.InvalidError
	var conflict *store.ConflictError
	switch {
	case errors.Is(err, store.ErrUncertain):
		return err
	case errors.As(err, &short):
		return h.insufficient(ctx, p.say, short)
	case errors.As(err, &invalid):
		return refuse(codeInvalidArgument, oneLine(invalid.Text))
	case errors.Is(err, store.ErrNotFound):
		return p.missing
	case errors.Is(err, store.ErrReservationExpired):
		return refuse(codeReservationExpired, p.say.say("保留已經到期，自動放開了；不必再放開", "The reservation has lapsed by itself; there is nothing to release"))
	case errors.As(err, &conflict):
		return opposing(p.say, conflict)
	}
	if no := notKept(p.say, err); no != nil {
		no.err = err
		return no
	}
	return err
}

// notKept says why the store could keep no change, whatever it was; nil where
// that is not known.
func notKept(say language, err error) *refused {
	switch {
	case errors.Is(err, store.ErrReplaced):
		return refuse(codeDatabaseReplaced, say.say("資料庫檔案在伺服器使用中被搬走、刪除或換掉了；這筆更動沒有留下。先請店主處理（伺服器的記錄寫了怎麼做），再試一次",
			"The database file was moved, removed or replaced while the server was using it; the change was not kept. Try again only after the owner has looked after it: the server's log says what to do"))
	case errors.Is(err, store.ErrDiskFull):
		return refuse(codeDiskFull, say.say("磁碟滿了；沒有更動。請店主騰出空間，再試一次",
			"The disk is full; nothing was changed. Try again once the owner has freed some space"))
	case errors.Is(err, store.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return refuse(codeBusy, say.say("資料庫一直忙著別的寫入，輪不到這筆；沒有更動。等一下再試一次",
			"The database was busy with something else for too long; nothing was changed. Try again in a moment"))
	}
	return nil
}

func (h *handler) insufficient(ctx context.Context, say language, short *store.InsufficientError) *refused {
	shop, product := h.shopOf(ctx, short.ShopID), h.productOf(ctx, short.ProductID)
	where, what := oneLine(shop.Name), say.product(product)
	r := refuse(codeInsufficientStock, "")
	r.Store, r.Product = new(refShop(shop)), new(refProduct(product))
	r.amounts, r.Asked = new(amountsOf(short.Level)), short.Asked
	if short.Expiry != "" {
		r.Expiry, r.Lot = short.Expiry, &short.Lot
		r.Message = say.say("%[1]s %[2]s 效期 %[3]s 的只有 %[4]s，不夠 %[5]d；沒有更動", "Of %[2]s at %[1]s that expires on %[3]s there are %[4]s, not %[5]d; nothing was changed",
			where, what, short.Expiry, say.count(short.Lot, product), short.Asked)
		return r
	}
	expired := ""
	if n := short.Level.Expired; n > 0 {
		expired = say.say("，已過期 %d", ", %d expired", n)
	}
	r.Message = say.say("%[1]s %[2]s只有 %[3]s可用（架上 %[4]d，已保留 %[5]d%[7]s），不夠 %[6]d；沒有更動", "%[2]s at %[1]s: only %[3]s available (%[4]d on hand, %[5]d reserved%[7]s), not %[6]d; nothing was changed",
		where, what, say.count(short.Level.Available(), product), short.Level.OnHand, short.Level.Reserved, short.Asked, expired)
	return r
}

// aim finds the one store and the one product that a change is for. What is
// merely near, and what fits several, is refused.
func (h *handler) aim(ctx context.Context, say language, shop, product string) (store.Shop, store.Product, error) {
	where, err := h.aimAtShop(ctx, say, shop)
	if err != nil {
		return store.Shop{}, store.Product{}, err
	}
	f, err := h.findProduct(ctx, product)
	if err == nil && !f.ok {
		err = refuseWords(f, say, product, unknownProduct, codeUnknownProduct, codeAmbiguousProduct)
	}
	return where, f.one, err
}

func (h *handler) aimAtShop(ctx context.Context, say language, text string) (store.Shop, error) {
	f, err := h.findShop(ctx, text)
	if err == nil && !f.ok {
		err = refuseWords(f, say, text, unknownStore, codeUnknownStore, codeAmbiguousStore)
	}
	return f.one.shop, err
}

// refuseWords refuses words that mean not one thing.
func refuseWords[T any](f found[T], say language, said string, unknown status, nothing, several code) *refused {
	c := nothing
	if f.ambiguous {
		c = several
	}
	r := refuse(c, f.ask(say, said, unknown))
	r.choices = f.choices()
	return r
}

// notCarriedBy says that nothing can be taken where there never was any.
func notCarriedBy(say language, shop store.Shop, p store.Product) *refused {
	r := refuse(codeNotCarried, say.say("%s沒有販售%s；沒有更動。check_stock 會列出哪裡有", "%s does not carry %s; nothing was changed. check_stock tells who has it",
		oneLine(shop.Name), say.product(p)))
	r.Store, r.Product = new(refShop(shop)), new(refProduct(p))
	return r
}

// opposing says what happened before that a change does not go with.
func opposing(say language, e *store.ConflictError) *refused {
	switch e.Kind {
	case store.TokenSpent:
		return invalidConfirmation(say)
	case store.KeyTaken:
		return refuse(codeConflict, say.say("這個 idempotency_key 用過在別的更動上；沒有更動。新的更動請用新的 key",
			"The idempotency_key belongs to another change; nothing was changed. Use a new key for a new change"))
	case store.AlreadyUndone:
		return refuse(codeConflict, say.say("這筆異動之前已經復原過；沒有更動。stock_history 會列出異動",
			"The movement was undone before; nothing was changed. stock_history lists movements"))
	case store.IsUndo:
		return refuse(codeConflict, say.say("這筆異動本身就是復原，不能再復原；沒有更動。請用 record_movement 記一筆更正",
			"The movement is itself an undo, which cannot be undone; nothing was changed. Record a correction with record_movement"))
	case store.AlreadyFreed:
		return refuse(codeConflict, say.say("這筆保留之前已經放開了；沒有更動", "The reservation was released before; nothing was changed"))
	case store.LotExpired:
		return refuse(codeConflict, say.say("這個效期的已經過期，不能賣；沒有更動。請用 record_movement 記報廢（waste）",
			"What expires on that date has expired and cannot be sold; nothing was changed. Record it as waste with record_movement"))
	case store.LotUsedUp:
		return refuse(codeConflict, say.say("當時進來的（沒有效期的）已經不夠了，不能復原；沒有更動。請用 record_movement 記一筆更正",
			"Too little is left of what came then without an expiry date, so it cannot be undone; nothing was changed. Record a correction with record_movement"))
	}
	if e.Kind == store.NotTheirsAlone {
		return refuse(codeConflict, say.say("這筆異動同時動了別間門市的庫存，只有店主能復原；沒有更動",
			"The movement changed the stock of another store in the same go, so only the owner can undo it; nothing was changed"))
	}
	return refuse(codeConflict, say.say("那間門市或商品已經不在了，或已不再販售，不能復原；沒有更動",
		"That store or product is no longer there, or no longer sold there, so it cannot be undone; nothing was changed"))
}
