// Package jpeg reads and writes JPEG files (ITU-T T.81), at the size that is wanted
// and as planes, so that a photo of twelve million pixels never exists in memory.
//
// It promises never to read outside the file, to allocate nothing that grows with what
// the file merely says of itself beyond what Memory and PlanesMemory say,
// to end, and to make the same of the same bytes on every processor: all of it is whole
// numbers.
//
// # What a JPEG is
//
// A file is a list of segments (segments.go): a marker of two bytes, 0xff and what it
// is, a length, and what it says. They bring tables, the frame with the picture's size
// and its components, and then a scan or more, the only large part.
//
// A component is a plane of samples of 8 bits. Photos have three: Y, brightness, and Cb
// and Cr, how much bluer and redder than gray (T.871). The eye sees colour coarsely, so
// that these mostly have half as many samples in each direction: 4:2:0. Sampling factors
// say so; where they are 2x2, 1x1 and 1x1, four blocks of Y and one of each colour make
// an MCU, the unit in which a scan goes over the picture.
//
// A block is 8 x 8 samples, written as 64 frequencies: how much of each of 64 patterns
// it takes to make it, from the even one to the finest checks. The discrete cosine
// transform, DCT, goes from samples to frequencies (fdct.go), its inverse back (idct.go).
// Frequencies are divided by the steps of a quantisation table, large for what is fine,
// and rounded. That is all the loss there is, and most become zero.
//
// They are written in the order of a zigzag from the coarse to the fine, as a run of
// zeros and the number behind it. Both together have a Huffman code: frequent pairs have
// short words (huffman.go, encode_huffman.go). The first of a block, its average, is
// written as the difference to that of the block before.
//
// A baseline file has all of it in one scan. A progressive one goes over the picture
// several times (progressive.go): the averages, then some frequencies, without their
// last bits, then the bits that are missing. So all blocks have to be kept until the
// last scan was read. A restart marker now and then begins anew, so that damage ends.
//
// # Where the time goes, and what is done about it
//
// Most of it goes into bits. The data is freed of stuffed zeros a few thousand bytes at
// a time, so that a word of 64 bits can be filled with eight bytes unseen (bits.go); a
// table tells from its next ten run, size and number in one look where they fit.
//
// A decoder can be told to make n x n samples of each block, for n from 1 to 8 (Scale,
// idct_scaled.go): the inverse DCT of n points over the n x n lowest frequencies. Half
// the size costs half of the full one's time. What of a block comes behind these
// frequencies is stepped over, several at a look (skip.go). Of progressive files only
// they are kept, and a bit for each other one, which later scans ask for.
//
// What is decoded stays in planes, and is written from planes (planes.go).
package jpeg
