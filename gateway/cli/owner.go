package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// asOwner refuses root where the store's folder, or one of the others that are named,
// is another user's. Root may write there, and the gateway could not read what it has
// written: not its keys, not its locks. So it comes before the first write.
func (d *desk) asOwner(others ...string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folders := others
	if d.config.Store.S3 == nil {
		// Where it is not there yet, it would be made, in the folder of whoever has that.
		folders = append(folders[:len(folders):len(folders)], nearest(filepath.Join(d.config.Data, "photos")))
	}
	for _, folder := range folders {
		if err := ownedByRoot(folder); err != nil {
			return err
		}
	}
	return nil
}

// nearest returns the folder, or the first above it that is there.
func nearest(folder string) string {
	for {
		_, err := os.Stat(folder)
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return folder
		}
		folder = above
	}
}

// ownedByRoot refuses a folder of another's. One that cannot be looked at is refused
// by whoever opens it.
func ownedByRoot(folder string) error {
	var owner *syscall.Stat_t
	if info, err := os.Stat(folder); err == nil {
		owner, _ = info.Sys().(*syscall.Stat_t)
	}
	if owner == nil || owner.Uid == 0 {
		return nil
	}
	id := strconv.FormatUint(uint64(owner.Uid), 10)
	name := "uid " + id
	if u, err := user.LookupId(id); err == nil {
		name = fmt.Sprintf("%s (%s)", u.Username, name)
	}
	return fmt.Errorf("run it as %s, who owns %s: the gateway cannot read what root writes there; nothing was done", name, folder)
}
