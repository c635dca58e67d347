package outbound

import "strings"

// ownTexts returns Lightlock's own words in a language, if it speaks it, by what
// they are about: a reason, or unsupported_heic. Each says what was wrong and
// what would work.
func ownTexts(language string) map[string]string {
	words, ok := map[string]string{
		"en": english, "de": german, "es": spanish, "fr": french, "it": italian, "nl": dutch, "pt": portuguese,
	}[language]
	if !ok {
		return nil
	}
	texts := map[string]string{}
	for line := range strings.Lines(words) {
		if topic, text, found := strings.Cut(strings.TrimSpace(line), ": "); found {
			texts[topic] = text
		}
	}
	return texts
}

const english = `
too_large: This photo is larger than {limit}. Please send a smaller one.
unsupported_type: We cannot open this file. Please send your photo as {formats}.
unsupported_heic: This is a HEIC photo, which we cannot open. Please send it as a JPEG.
animated: This picture moves. Please send a still photo.
too_many_pixels: This photo has too many pixels. Please send a smaller one.
corrupt: This photo arrived damaged. Please send it again.
expired: We could not get this photo in time. Please send it again.
unreachable: We could not get this photo. Please send it again.
disabled: We cannot receive photos here. Please describe it in words.
too_complex: We cannot open this file. Please take a new photo and send that.
`

const german = `
too_large: Dieses Foto ist größer als {limit}. Bitte senden Sie ein kleineres.
unsupported_type: Wir können diese Datei nicht öffnen. Bitte senden Sie Ihr Foto als {formats}.
unsupported_heic: Dies ist ein HEIC-Foto, das wir nicht öffnen können. Bitte senden Sie es als JPEG.
animated: Dieses Bild bewegt sich. Bitte senden Sie ein unbewegtes Foto.
too_many_pixels: Dieses Foto hat zu viele Pixel. Bitte senden Sie ein kleineres.
corrupt: Dieses Foto kam beschädigt an. Bitte senden Sie es noch einmal.
expired: Wir konnten dieses Foto nicht rechtzeitig abrufen. Bitte senden Sie es noch einmal.
unreachable: Wir konnten dieses Foto nicht abrufen. Bitte senden Sie es noch einmal.
disabled: Wir können hier keine Fotos empfangen. Bitte beschreiben Sie es in Worten.
too_complex: Wir können diese Datei nicht öffnen. Bitte nehmen Sie ein neues Foto auf und senden Sie dieses.
`

const spanish = `
too_large: Esta foto supera los {limit}. Por favor, envíe una más pequeña.
unsupported_type: No podemos abrir este archivo. Por favor, envíe su foto como {formats}.
unsupported_heic: Esta es una foto HEIC y no podemos abrirla. Por favor, envíela como JPEG.
animated: Esta imagen se mueve. Por favor, envíe una foto fija.
too_many_pixels: Esta foto tiene demasiados píxeles. Por favor, envíe una más pequeña.
corrupt: Esta foto llegó dañada. Por favor, envíela de nuevo.
expired: No pudimos recibir esta foto a tiempo. Por favor, envíela de nuevo.
unreachable: No pudimos recibir esta foto. Por favor, envíela de nuevo.
disabled: Aquí no podemos recibir fotos. Por favor, descríbalo con palabras.
too_complex: No podemos abrir este archivo. Por favor, tome una foto nueva y envíela.
`

const french = `
too_large: Cette photo dépasse {limit}. Veuillez en envoyer une plus petite.
unsupported_type: Nous ne pouvons pas ouvrir ce fichier. Veuillez envoyer votre photo au format {formats}.
unsupported_heic: Cette photo est au format HEIC, que nous ne pouvons pas ouvrir. Veuillez l'envoyer au format JPEG.
animated: Cette image est animée. Veuillez envoyer une photo fixe.
too_many_pixels: Cette photo a trop de pixels. Veuillez en envoyer une plus petite.
corrupt: Cette photo est arrivée endommagée. Veuillez l'envoyer à nouveau.
expired: Nous n'avons pas pu récupérer cette photo à temps. Veuillez l'envoyer à nouveau.
unreachable: Nous n'avons pas pu récupérer cette photo. Veuillez l'envoyer à nouveau.
disabled: Nous ne pouvons pas recevoir de photos ici. Veuillez décrire avec des mots.
too_complex: Nous ne pouvons pas ouvrir ce fichier. Veuillez prendre une nouvelle photo et l'envoyer.
`

const italian = `
too_large: Questa foto supera {limit}. Ne invii una più piccola, per favore.
unsupported_type: Non possiamo aprire questo file. Invii la foto come {formats}, per favore.
unsupported_heic: Questa è una foto HEIC, che non possiamo aprire. La invii come JPEG, per favore.
animated: Questa immagine è animata. Invii una foto fissa, per favore.
too_many_pixels: Questa foto ha troppi pixel. Ne invii una più piccola, per favore.
corrupt: Questa foto è arrivata danneggiata. La invii di nuovo, per favore.
expired: Non siamo riusciti a ricevere questa foto in tempo. La invii di nuovo, per favore.
unreachable: Non siamo riusciti a ricevere questa foto. La invii di nuovo, per favore.
disabled: Qui non possiamo ricevere foto. La descriva a parole, per favore.
too_complex: Non possiamo aprire questo file. Scatti una nuova foto e la invii, per favore.
`

const dutch = `
too_large: Deze foto is groter dan {limit}. Stuur alstublieft een kleinere.
unsupported_type: We kunnen dit bestand niet openen. Stuur uw foto alstublieft als {formats}.
unsupported_heic: Dit is een HEIC-foto, die we niet kunnen openen. Stuur hem alstublieft als JPEG.
animated: Deze afbeelding beweegt. Stuur alstublieft een stilstaande foto.
too_many_pixels: Deze foto heeft te veel pixels. Stuur alstublieft een kleinere.
corrupt: Deze foto is beschadigd aangekomen. Stuur hem alstublieft opnieuw.
expired: We konden deze foto niet op tijd ophalen. Stuur hem alstublieft opnieuw.
unreachable: We konden deze foto niet ophalen. Stuur hem alstublieft opnieuw.
disabled: We kunnen hier geen foto's ontvangen. Beschrijf het alstublieft in woorden.
too_complex: We kunnen dit bestand niet openen. Maak alstublieft een nieuwe foto en stuur die.
`

const portuguese = `
too_large: Esta foto tem mais de {limit}. Por favor, envie uma menor.
unsupported_type: Não conseguimos abrir este arquivo. Por favor, envie a sua foto como {formats}.
unsupported_heic: Esta é uma foto HEIC, que não conseguimos abrir. Por favor, envie-a como JPEG.
animated: Esta imagem é animada. Por favor, envie uma foto fixa.
too_many_pixels: Esta foto tem pixels demais. Por favor, envie uma menor.
corrupt: Esta foto chegou danificada. Por favor, envie-a de novo.
expired: Não conseguimos receber esta foto a tempo. Por favor, envie-a de novo.
unreachable: Não conseguimos receber esta foto. Por favor, envie-a de novo.
disabled: Não podemos receber fotos aqui. Por favor, descreva com palavras.
too_complex: Não conseguimos abrir este arquivo. Por favor, tire uma nova foto e envie-a.
`
