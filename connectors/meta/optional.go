package meta

import "encoding/json"

// Optional is a part of a webhook that only adds to the rest, such as what a
// message answers. As far as it has another shape than documented it counts as
// absent, because no message is lost for what stands beside it.
type Optional[T any] struct{ Value T }

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	_ = json.Unmarshal(raw, &o.Value) // which keeps what could be read
	return nil
}
