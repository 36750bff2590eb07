package define

import (
	"errors"
	"fmt"
	"slices"
)

// builder collects keys and the faults found on the way, so that chains of calls need no error
// each.
type builder struct {
	keys   mapping
	faults []error
}

// value makes a node, or notes a fault and returns a placeholder.
func (b *builder) value(what string, v any) node {
	n, err := nodeFrom(v)
	if err != nil {
		b.fault(what, err)
	}
	return n
}

func (b *builder) fault(what string, err error) {
	b.faults = append(b.faults, fmt.Errorf("%s: %w", what, err))
}

func (b *builder) set(key string, v any) { b.setNode(key, b.value(key, v)) }

func (b *builder) setNode(key string, n node) {
	if b.keys.values == nil {
		b.keys.values = map[string]node{}
	}
	b.keys.set(key, n)
}

// put sets one entry of the mapping under key.
func (b *builder) put(key, name string, v any) {
	inner, ok := b.keys.values[key].(*mapping)
	if !ok {
		inner = newMapping()
		b.setNode(key, inner)
	}
	inner.set(name, b.value(key+" "+name, v))
}

// move copies one key, if it is set and not there yet.
func (b *builder) move(to *mapping, key string) {
	if v, ok := b.keys.values[key]; ok {
		if _, there := to.values[key]; !there {
			to.set(key, v)
		}
	}
}

// moveRest copies all keys that are not there yet, but for those that have a later place.
func (b *builder) moveRest(to *mapping, later ...string) {
	for _, key := range b.keys.keys {
		if !slices.Contains(later, key) {
			b.move(to, key)
		}
	}
}

// err returns the faults, each with its place before it.
func (b *builder) err(where string) error {
	var out []error
	for _, fault := range b.faults {
		out = append(out, fmt.Errorf("%s: %w", where, fault))
	}
	return errors.Join(out...)
}
