package budget

import (
	"os"
	"path/filepath"
	"testing"
)

func TestContainerLimit(t *testing.T) {
	const v1none = "9223372036854771712\n"
	for name, test := range map[string]struct {
		groups string
		files  map[string]string
		want   int64
	}{
		"no groups":                {"", nil, 0},
		"version 2":                {"0::/\n", map[string]string{"memory.max": "536870912\n"}, 536870912},
		"version 2, none":          {"0::/\n", map[string]string{"memory.max": "max\n"}, 0},
		"version 2, the root":      {"0::/\n", nil, 0},
		"version 2, in a group":    {"0::/a/b\n", map[string]string{"a/b/memory.max": "max", "a/memory.max": "1000", "memory.max": "max"}, 1000},
		"version 2, the least":     {"0::/a/b\n", map[string]string{"a/b/memory.max": "500", "a/memory.max": "1000"}, 500},
		"version 2, seen from in":  {"0::/docker/1f\n", map[string]string{"memory.max": "700"}, 700},
		"version 2, another's":     {"0::/a\n", map[string]string{"b/memory.max": "700"}, 0},
		"version 2, from outside":  {"0::/../../a\n", map[string]string{"a/memory.max": "700"}, 700},
		"version 1":                {"4:memory:/a\n0::/\n", map[string]string{"memory/a/memory.limit_in_bytes": "800\n"}, 800},
		"version 1, none":          {"4:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": v1none}, 0},
		"version 1, with others":   {"3:cpu,memory:/\n", map[string]string{"memory/memory.limit_in_bytes": "900"}, 900},
		"version 1, another":       {"3:memoryless:/\n", map[string]string{"memory/memory.limit_in_bytes": "900"}, 0},
		"version 1, seen from in":  {"5:memory:/docker/1f\n", map[string]string{"memory/memory.limit_in_bytes": "900"}, 900},
		"both":                     {"4:memory:/a\n0::/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "800", "a/memory.max": "700"}, 700},
		"nonsense":                 {"a\n0:\n0::/\n", map[string]string{"memory.max": "-5"}, 0},
		"a number that is too big": {"0::/\n", map[string]string{"memory.max": "99999999999999999999"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(path, text string) {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.groups != "" {
				write("proc/self/cgroup", test.groups)
			}
			for file, text := range test.files {
				write(filepath.Join("sys/fs/cgroup", file), text)
			}
			if got := ContainerLimit(root); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
