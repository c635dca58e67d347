package config

// Notices says what a consumer is told about a photo that was rejected. A zero
// field means: as one level up, and at the top: as Default says.
type Notices struct {
	// Enabled is false where consumers are told nothing.
	Enabled *bool `yaml:"enabled" jsonschema_description:"Whether a consumer is told that a photo was rejected, and why."`
	// Language is what consumers are written to in where the platform does not
	// tell theirs, or where no text is set in theirs.
	Language string `yaml:"language" check:"max=35" jsonschema_description:"Language of notices where the platform does not tell the consumer's: en, de, pt-BR."`
	// Texts are the operator's own words, a set per language.
	Texts []NoticeTexts `yaml:"texts" check:"max=50" jsonschema_description:"Your own words, a set per language. What a set leaves out is said in Lightlock's words, if it speaks the language."`
}

// NoticeTexts are the texts of one language, one for each reason for which a
// photo can be rejected. In a text, {limit} stands for the account's size limit,
// such as "10 MB", and {formats} for what is accepted, such as "JPEG, PNG or
// GIF".
type NoticeTexts struct {
	Language        string `yaml:"language" check:"required,max=35" why:"a set of texts is chosen by its language" jsonschema_description:"Language of this set: en, de, pt-BR."`
	TooLarge        string `yaml:"too_large" check:"max=500" jsonschema_description:"The photo has more bytes than {limit}."`
	UnsupportedType string `yaml:"unsupported_type" check:"max=500" jsonschema_description:"The file is none of {formats}."`
	Animated        string `yaml:"animated" check:"max=500" jsonschema_description:"The picture moves."`
	TooManyPixels   string `yaml:"too_many_pixels" check:"max=500" jsonschema_description:"The photo has more pixels than any camera makes."`
	Corrupt         string `yaml:"corrupt" check:"max=500" jsonschema_description:"The file is broken."`
	Expired         string `yaml:"expired" check:"max=500" jsonschema_description:"The platform no longer had the photo."`
	Unreachable     string `yaml:"unreachable" check:"max=500" jsonschema_description:"The platform did not deliver the photo."`
	Disabled        string `yaml:"disabled" check:"max=500" jsonschema_description:"Photo sharing is off for this account."`
	TooComplex      string `yaml:"too_complex" check:"max=500" jsonschema_description:"The file is built as no camera builds one."`
}

// Over returns n with what it leaves open taken from base, one level up. Texts
// of both are kept, its own first, so that they win.
func (n Notices) Over(base Notices) Notices {
	if n.Enabled == nil {
		n.Enabled = base.Enabled
	}
	if n.Language == "" {
		n.Language = base.Language
	}
	n.Texts = append(n.Texts[:len(n.Texts):len(n.Texts)], base.Texts...)
	return n
}
