package connectortest

import (
	"errors"
	"reflect"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
)

// The suite knows no channel's settings, so it looks for what it needs by type.
// None of these functions is told a value by the connector under test.

// secretsOf returns every secret in s.
func secretsOf(s config.Settings) []string { return secretsIn(reflect.ValueOf(s)) }

func secretsIn(v reflect.Value) []string {
	var found []string
	walk(v, func(v reflect.Value) {
		if secret, ok := v.Interface().(config.Secret); ok && !secret.IsZero() {
			found = append(found, secret.Reveal())
		}
	})
	return found
}

// signingSecrets returns the fields of s that hold a changing secret, settable.
func signingSecrets(s config.Settings) []reflect.Value {
	var found []reflect.Value
	walk(reflect.ValueOf(s), func(v reflect.Value) {
		if _, ok := v.Interface().(config.Secrets); ok && v.CanSet() {
			found = append(found, v)
		}
	})
	return found
}

// withSecrets puts what list makes of the present secrets in their place.
func withSecrets(s config.Settings, list func(present config.Secrets) config.Secrets) error {
	fields := signingSecrets(s)
	if len(fields) == 0 {
		return errors.New("the settings have no field of type config.Secrets, so no secret can be replaced without a gap")
	}
	for _, f := range fields {
		f.Set(reflect.ValueOf(list(f.Interface().(config.Secrets))))
	}
	return nil
}

func newSecret() config.Secret { return config.NewSecret(sim.Secret()) }

// withDecoy puts another account before the first one: like it, but with an id
// and secrets of its own.
func withDecoy(s config.Settings) (decoy config.Account, err error) {
	list := accounts(reflect.ValueOf(s))
	if !list.IsValid() || list.Len() == 0 {
		return decoy, errors.New("the settings have no list of accounts")
	}
	first := reflect.New(list.Type().Elem()).Elem()
	first.Set(list.Index(0))
	walk(first, func(v reflect.Value) {
		switch old := v.Interface().(type) {
		case config.Secret:
			v.Set(reflect.ValueOf(newSecret()))
		case config.Secrets:
			v.Set(reflect.ValueOf(config.Secrets{newSecret()}))
		case config.Account:
			old.ID, old.Name, old.Queue = otherID(old.ID), "decoy", "decoy"
			decoy = old
			v.Set(reflect.ValueOf(old))
		}
	})
	more := reflect.Append(reflect.MakeSlice(list.Type(), 0, list.Len()+1), first)
	list.Set(reflect.AppendSlice(more, list))
	return decoy, nil
}

// ownSecrets returns what nobody may learn about account i, in each form in which
// it might be written.
func ownSecrets(s config.Settings, i int) leaks {
	return secretForms(secretsIn(accounts(reflect.ValueOf(s)).Index(i)))
}

// otherID returns an id of the same form: its last character is another one.
func otherID(id string) string {
	if id == "" {
		return "1"
	}
	last := byte('1')
	if id[len(id)-1] == last {
		last = '2'
	}
	return id[:len(id)-1] + string(last)
}

// accounts returns the settable slice whose elements embed config.Account.
func accounts(v reflect.Value) reflect.Value {
	var list reflect.Value
	walk(v, func(v reflect.Value) {
		if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.Struct || !v.CanSet() {
			return
		}
		if f, ok := v.Type().Elem().FieldByName("Account"); ok && f.Type == reflect.TypeFor[config.Account]() {
			list = v
		}
	})
	return list
}

// walk calls visit for v and for everything exported below it.
func walk(v reflect.Value, visit func(reflect.Value)) {
	if !v.IsValid() || !v.CanInterface() {
		return
	}
	visit(v)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), visit)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walk(it.Value(), visit)
		}
	}
}
