package sqlite

import (
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/fold"
)

// writeChains makes the chains that are new and sets the aliases that are said,
// and returns the numbers of all by name.
func (f *shopFinder) writeChains() (map[string]int64, error) {
	nums := map[string]int64{}
	folded := map[string]string{} // names
	aliases := map[string][]string{}
	err := f.each(`SELECT num, name, aliases FROM chains`, nil, func(scan func(...any) error) error {
		var num int64
		var name string
		var list []byte
		if err := scan(&num, &name, &list); err != nil {
			return err
		}
		nums[name], folded[nameKey(name)] = num, name
		var l []string
		err := parse(list, &l)
		aliases[name] = l
		return err
	})
	if err != nil {
		return nil, err
	}
	said := map[string]*unitedShop{} // the first that says the aliases of a chain
	for _, s := range f.all {
		if s.said == nil {
			continue
		}
		chain := s.said.Chain
		if name, ok := folded[nameKey(chain)]; ok {
			chain = name // as it is written already
		} else if chain != "" {
			folded[nameKey(chain)] = chain
			if nums[chain], err = f.makeChain(chain); err != nil {
				return nil, err
			}
		}
		s.said.Chain = chain
		more := s.said.chainAliases
		if chain == "" {
			chain = s.Chain
		}
		if len(more) == 0 || chain == "" {
			continue
		}
		if first := said[chain]; first != nil {
			u := uniter{f.importer, s.said.at, first.at, &first.from, "the same chain"}
			u.list(store.ColumnChainAliases, &first.chainAliases, more)
			continue
		}
		said[chain] = s.said
		if !sameList(aliases[chain], more) {
			if err := writeChain(f.in, nums[chain], chain, more); err != nil {
				return nil, err
			}
		}
	}
	return nums, nil
}

// makeChain makes a chain without aliases and returns its number.
func (f *shopFinder) makeChain(name string) (int64, error) {
	return makeChain(f.in.statements, name)
}

func makeChain(ss *statements, name string) (num int64, err error) {
	err = ss.queryRow(`INSERT INTO chains (name, aliases, sort_name, texts) VALUES (?, '[]', ?, ?) RETURNING num`,
		name, fold.String(name), lines(texts(name, nil))).Scan(&num)
	return num, err
}

// writeChain sets a chain's aliases.
func writeChain(in *inserter, num int64, name string, aliases []string) error {
	return in.exec(`UPDATE chains SET aliases = ?, texts = ? WHERE num = ?`, list(aliases), lines(texts(name, aliases)), num)
}
