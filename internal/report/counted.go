package report

import (
	"cmp"
	"maps"
	"slices"
)

// counter puts together what was counted.
func (r *counterReader) counter(c comparison) Counter {
	out := Counter{
		Family: r.family.name, Title: r.family.title, Label: string(r.family.label), Notable: r.family.notableTitle,
		Present: len(r.last) > 0, Kinds: []Kind{}, Workloads: []Amount{},
	}
	var total amounts
	kinds := map[string]*amounts{}
	notable := map[string]bool{}
	for key, sum := range r.sums {
		if kinds[key.value] == nil {
			kinds[key.value] = new(amounts)
		}
		for i, v := range sum {
			total[i] += v
			kinds[key.value][i] += v
		}
		notable[key.value] = notable[key.value] || key.notable
	}
	out.Total = total[1]
	out.Before = c.amount(total[0])
	for _, value := range slices.Sorted(maps.Keys(kinds)) {
		a := kinds[value]
		k := Kind{Value: value, Notable: notable[value], Amount: a[1], Before: c.amount(a[0])}
		if c.compared {
			k.Change = change(a[1], a[0])
		}
		if k.Amount > 0 || k.Before != nil {
			out.Kinds = append(out.Kinds, k)
		}
	}
	slices.SortStableFunc(out.Kinds, func(a, b Kind) int { return cmp.Compare(b.Amount, a.Amount) })
	out.Kinds = out.Kinds[:min(len(out.Kinds), 2*c.top)]
	r.workloads(&out, c)
	return out
}

// workloads are those with most of what is notable.
func (r *counterReader) workloads(out *Counter, c comparison) {
	type counted struct {
		sum    amounts
		kind   string // that it has most of
		mostly float64
	}
	all := map[amountKey]*counted{}
	for _, key := range slices.SortedFunc(maps.Keys(r.sums), amountKey.compare) {
		if !key.notable {
			continue
		}
		of := amountKey{cluster: key.cluster, namespace: key.namespace, workload: key.workload, kind: key.kind}
		if all[of] == nil {
			all[of] = &counted{}
		}
		w, sum := all[of], r.sums[key]
		w.sum[0] += sum[0]
		w.sum[1] += sum[1]
		if sum[1] > w.mostly {
			w.kind, w.mostly = key.value, sum[1]
		}
	}
	for _, of := range slices.SortedFunc(maps.Keys(all), amountKey.compare) {
		w := all[of]
		if w.sum[1] == 0 {
			continue
		}
		a := Amount{
			Cluster: of.cluster, Namespace: of.namespace, Workload: of.workload, Type: of.kind,
			Amount: w.sum[1], Mostly: w.kind, Before: c.amount(w.sum[0]),
		}
		if c.compared {
			a.Change = change(w.sum[1], w.sum[0])
		}
		out.Workloads = append(out.Workloads, a)
	}
	slices.SortStableFunc(out.Workloads, func(a, b Amount) int { return cmp.Compare(b.Amount, a.Amount) })
	for _, a := range out.Workloads[min(len(out.Workloads), c.top):] {
		out.Rest++
		out.RestAmount += a.Amount
	}
	out.Workloads = out.Workloads[:min(len(out.Workloads), c.top)]
}

func (k amountKey) compare(o amountKey) int {
	return cmp.Or(cmp.Compare(k.cluster, o.cluster), cmp.Compare(k.namespace, o.namespace),
		cmp.Compare(k.workload, o.workload), cmp.Compare(k.kind, o.kind), cmp.Compare(k.value, o.value))
}

// amount is that of the period before, or nil where nothing is compared.
func (c comparison) amount(before float64) *float64 {
	if !c.compared {
		return nil
	}
	return &before
}
