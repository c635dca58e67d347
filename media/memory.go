package media

// colourTables is what a colour transform keeps at most, in bytes.
const colourTables = 4 << 20

// reckon tells what developing takes at its peak, in bytes: the decoder, rows and
// weights for as long as the picture is read, then both pictures, turned, and
// their frequencies while they are encoded.
func reckon(head *header, s Settings) int64 {
	size := fit(head.width, head.height, s.Preview.Side)
	preview, thumbnail := area(size), int64(s.Thumbnail.Side)*int64(s.Thumbnail.Side)
	pictures := 4 * (preview + thumbnail)

	lines := 64 * int64(head.width+head.height) // rows in 8 and 16 bits, and four weights of 8 bytes each way, twice
	sums := 8 * 8 * 3 * int64(size.X+s.Thumbnail.Side)
	reading := head.film.memory + lines + sums + pictures
	if head.profile.exists() {
		reading += colourTables + int64(len(head.profile.data))
	}
	return reading
}
