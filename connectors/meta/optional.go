package meta

import "github.com/lightlock/lightlock/connectors/wire"

// Optional is wire.Optional.
type Optional[T any] = wire.Optional[T]
