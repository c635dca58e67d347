package agent

import (
	_ "embed"
	"net/http"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"
)

// openAPI describes every route below /v1, those of package identity too.
//
//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the document that describes the API, as YAML.
func OpenAPI() []byte { return append([]byte(nil), openAPI...) }

// OpenAPIJSON returns the same as JSON.
func OpenAPIJSON() ([]byte, error) { return yaml.YAMLToJSON(openAPI) }

// mountOpenAPI publishes the document. It holds nothing that a caller must not
// know, and whoever writes a client has no token yet.
func mountOpenAPI(e *echo.Echo) {
	publish(e, "/v1/openapi.yaml", "application/yaml", func() ([]byte, error) { return openAPI, nil })
	publish(e, "/v1/openapi.json", "application/json", sync.OnceValues(OpenAPIJSON))
}

func publish(e *echo.Echo, path, kind string, text func() ([]byte, error)) {
	e.GET(path, func(c echo.Context) error {
		document, err := text()
		if err != nil {
			return err
		}
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.Blob(http.StatusOK, kind, document)
	})
}
