package sheet

// How much of a file is taken in. Files come from anywhere, and reading one
// must not exhaust the machine; all of these are far above what shops have.
const (
	maxCell       = 10_000        // characters of a cell; a name or address has a hundredth
	maxRecord     = 1 << 20       // bytes of a line, with the line ends that are quoted in it
	maxColumns    = 1_000         // that anything stands in; a spreadsheet has 16,384 for nothing
	maxSheetRows  = 1_048_576     // of a workbook's sheet, which is Excel's own limit
	headerWithin  = 20            // lines that may stand before the header's end, blank ones aside
	sampleSize    = 1<<20 + 1<<16 // bytes at the start, by which encoding and dialect are found out; more than a record
	maxWorkbook   = 512 << 20     // bytes of a workbook, packed; also what is copied of standard input
	maxDirectory  = 1 << 20       // bytes of a workbook's table of contents; it lists some dozen parts
	maxSmallPart  = 16 << 20      // bytes of a part that says how the others hang together
	maxPart       = 4 << 30       // bytes of a sheet, unpacked; a million rows of 30 columns have 1.5 GB
	maxRatio      = 200           // to which a part may unpack; sheets have 10 to 40
	freePart      = 64 << 20      // bytes up to which the ratio does not matter
	maxTag        = 64 << 10      // bytes of one XML tag
	maxStyles     = 65_536        // of cells; Excel allows 65,490
	maxStrings    = 8_000_000     // texts that the cells of a workbook share
	stringsInCore = 16 << 20      // bytes of them that are kept in memory; the rest goes to a file
	maxMerges     = 200_000       // merged cells of a sheet
	maxListItems  = 200           // aliases or barcodes in a cell
)
