package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/config"
)

// KeyFile is where a gateway that keeps pictures in files, and has no key in its
// configuration, keeps the one that it has made.
func KeyFile(c config.Config) string { return filepath.Join(c.Data, "keys", "store.key") }

// withKeyFile returns the configuration's keys and behind them that of the key
// file, which is made if there is no other.
func withKeyFile(c config.Config, log *slog.Logger) ([]config.StoreKey, error) {
	path := KeyFile(c)
	key, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) && len(c.Store.Keys) > 0 {
		return c.Store.Keys, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyFile(path); err == nil {
			key, err = readKeyFile(path)
		}
		if err == nil {
			log.Warn("KEY MADE: keep a copy of this file in another place; without it no photo can be opened, and no closed conversation", "file", path, "key", key.ID)
			warnOfLost(c, log)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key file: %w", err)
	}
	list := c.Store.Keys
	for _, k := range list {
		if k.ID == key.ID || k.Key.Reveal() == key.Key.Reveal() {
			return list, nil
		}
	}
	return append(list[:len(list):len(list)], key), nil
}

// warnOfLost says so if there is something already that a new key cannot open.
func warnOfLost(c config.Config, log *slog.Logger) {
	names, err := os.ReadDir(filepath.Join(c.Data, "photos"))
	if err == nil && slices.ContainsFunc(names, func(e fs.DirEntry) bool { return e.Name() != unfinished }) {
		log.Error("THE KEY OF WHAT IS STORED IS MISSING: put its file back, or name it under store.keys; until then no older photo can be opened", "file", KeyFile(c))
	}
}

// readKeyFile reads a key and names it by its digest, so that another file with
// another key has another name. Others must not be able to read it.
func readKeyFile(path string) (config.StoreKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return config.StoreKey{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return config.StoreKey{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return config.StoreKey{}, fmt.Errorf("others may read %s: chmod 600, or make a new key and rewrap", path)
	}
	data, err := io.ReadAll(io.LimitReader(file, 1<<10))
	if err != nil {
		return config.StoreKey{}, err
	}
	key := config.StoreKey{Key: config.NewSecret(strings.TrimSpace(string(data)))}
	raw, err := key.Bytes()
	if err != nil {
		return config.StoreKey{}, fmt.Errorf("%s: %w", path, err)
	}
	digest := sha256.Sum256(raw)
	key.ID = "file-" + hex.EncodeToString(digest[:6])
	return key, nil
}

// makeKeyFile makes a key, on the disk when it returns nil. Where several gateways
// do so at once, the first one's stays.
func makeKeyFile(path string) error {
	dir := filepath.Dir(path)
	if err := makeDurable(dir); err != nil {
		return err
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails, by its documentation
	temporary := filepath.Join(dir, ".new-"+rand.Text())
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary) }()
	_, err = fmt.Fprintln(file, base64.StdEncoding.EncodeToString(raw))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(os.Open(dir))
}
