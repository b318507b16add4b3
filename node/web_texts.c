/* SPDX-License-Identifier: Apache-2.0 */
#include "node/web_texts.h"

#include <string.h>

/* The first language is for browsers that want none of these.  Words are HTML,
   and stand inside double quotes too. */
static const struct {
    const char *name;
    const char *words[NODE_WEB_LANGS];
} texts[] = {
    {"lang", {"en", "de", "fr", "es"}},
    {"title",
     {"A link to a clinic", "Ein Link zu einer Praxis",
      "Un lien vers un cabinet", "Un enlace a una clínica"}},
    {"heading",
     {"A clinic gave you this link",
      "Eine Praxis hat Ihnen diesen Link gegeben",
      "Un cabinet vous a donné ce lien", "Una clínica le dio este enlace"}},
    {"intro",
     {"It leads to the clinic’s own, end-to-end encrypted "
      "conversations. Who are you?",
      "Er führt zu den eigenen, Ende-zu-Ende-"
      "verschlüsselten Unterhaltungen der Praxis. Wer sind "
      "Sie?",
      "Il mène aux conversations du cabinet, chiffrées de "
      "bout en bout. Qui êtes-vous ?",
      "Lleva a las conversaciones de la clínica, cifradas "
      "de extremo a extremo. ¿Quién es usted?"}},
    {"broken",
     {"This link is not complete. Open it again from the "
      "message or the paper you got, or ask the clinic for "
      "a new one.",
      "Dieser Link ist nicht vollständig. Öffnen Sie ihn "
      "noch einmal aus der Nachricht oder vom Papier, oder "
      "bitten Sie die Praxis um einen neuen.",
      "Ce lien n’est pas complet. Ouvrez-le de nouveau "
      "depuis le message ou le papier reçu, ou demandez-en "
      "un autre au cabinet.",
      "Este enlace no está completo. Ábralo de nuevo desde "
      "el mensaje o el papel que recibió, o pida otro a la "
      "clínica."}},
    {"patient",
     {"I am a patient", "Ich bin Patientin oder Patient",
      "Je suis patient ou patiente", "Soy paciente"}},
    {"patient-app",
     {"Open the link in an app that speaks Balsam. The app "
      "makes a key of your own; the clinic sees who you are "
      "only once you agree there.",
      "Öffnen Sie den Link in einer App, die Balsam "
      "spricht. Die App erzeugt Ihren eigenen Schlüssel; "
      "die Praxis sieht erst, wer Sie sind, wenn Sie dort "
      "zustimmen.",
      "Ouvrez le lien dans une application qui parle "
      "Balsam. Elle crée une clé qui n’est qu’à vous ; le "
      "cabinet ne voit qui vous êtes qu’une fois que vous y "
      "consentez.",
      "Abra el enlace en una aplicación que hable Balsam. "
      "La aplicación crea una clave propia; la clínica solo "
      "ve quién es usted cuando usted lo acepta allí."}},
    {"open",
     {"Open in the app", "In der App öffnen", "Ouvrir dans l’application",
      "Abrir en la aplicación"}},
    {"patient-no-app",
     {"Without an app on this device: copy the link, or "
      "scan its QR code with the device that has one.",
      "Ohne App auf diesem Gerät: Kopieren Sie den Link, "
      "oder scannen Sie seinen QR-Code mit dem Gerät, das "
      "eine hat.",
      "Sans application sur cet appareil : copiez le lien, "
      "ou scannez son code QR avec l’appareil qui en a une.",
      "Sin una aplicación en este dispositivo: copie el "
      "enlace, o escanee su código QR con el dispositivo "
      "que la tenga."}},
    {"link", {"The link", "Der Link", "Le lien", "El enlace"}},
    {"by-hand",
     {"Copy it from the address bar", "Kopieren Sie ihn aus der Adresszeile",
      "Copiez-le depuis la barre d’adresse",
      "Cópielo de la barra de direcciones"}},
    {"copy-link",
     {"Copy the link", "Link kopieren", "Copier le lien", "Copiar el enlace"}},
    {"clinic",
     {"I work at a clinic", "Ich arbeite in einer Praxis",
      "Je travaille dans un cabinet", "Trabajo en una clínica"}},
    {"clinic-node",
     {"Give the link to your own node. It shows whose it is "
      "before anything is said, and asks you first.",
      "Geben Sie den Link Ihrem eigenen Knoten. Er zeigt, "
      "wem er gehört, bevor etwas gesagt wird, und fragt "
      "Sie zuerst.",
      "Donnez le lien à votre propre nœud. Il montre à qui "
      "il appartient avant que rien ne soit dit, et vous "
      "demande d’abord.",
      "Dé el enlace a su propio nodo. Muestra de quién es "
      "antes de que se diga nada, y le pregunta primero."}},
    {"clinic-link",
     {"For the person who runs your node",
      "Für die Person, die Ihren Knoten betreibt",
      "Pour la personne qui gère votre nœud",
      "Para la persona que lleva su nodo"}},
    {"copy-command",
     {"Copy the command", "Befehl kopieren", "Copier la commande",
      "Copiar la orden"}},
    {"copied", {"Copied.", "Kopiert.", "Copié.", "Copiado."}},
    {"not-copied",
     {"Your browser does not allow it. The text is "
      "selected: copy it by hand.",
      "Ihr Browser erlaubt das nicht. Der Text ist "
      "markiert: Kopieren Sie ihn von Hand.",
      "Votre navigateur ne le permet pas. Le texte est "
      "sélectionné : copiez-le à la main.",
      "Su navegador no lo permite. El texto está "
      "seleccionado: cópielo a mano."}},
    {"small",
     {"This page has sent your link nowhere: the part "
      "behind # stays in your browser. It stores nothing. "
      "Anyone who has the link can use it, so pass it on "
      "only to whom it is meant for.",
      "Diese Seite hat Ihren Link nirgendwohin gesendet: "
      "Der Teil hinter # bleibt in Ihrem Browser. Sie "
      "speichert nichts. Wer den Link hat, kann ihn "
      "benutzen; geben Sie ihn nur dem Menschen weiter, für "
      "den er bestimmt ist.",
      "Cette page n’a envoyé votre lien nulle part : la "
      "partie après # reste dans votre navigateur. Elle "
      "n’enregistre rien. Qui a le lien peut l’utiliser : "
      "ne le donnez qu’à la personne à qui il est destiné.",
      "Esta página no ha enviado su enlace a ninguna parte: "
      "lo que sigue a # se queda en su navegador. No guarda "
      "nada. Quien tenga el enlace puede usarlo: páselo "
      "solo a quien va dirigido."}},
    {"alt",
     {"Picture of the clinic", "Bild der Praxis", "Image du cabinet",
      "Imagen de la clínica"}},
};

const char *
node_web_text(const char *name, size_t len, size_t lang)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strlen(texts[i].name) == len &&
            memcmp(texts[i].name, name, len) == 0) {
            return texts[i].words[lang];
        }
    }
    return NULL;
}

enum err
node_web_fill(const struct mem *mem, struct view page, size_t lang,
              struct view picture, struct bytes *out)
{
    enum err e = OK;
    struct bytes b = {0};

    while (page.len > 0) {
        const uint8_t *open = memchr(page.p, '{', page.len);
        size_t n = open == NULL ? page.len : (size_t)(open - page.p);
        const uint8_t *end;
        size_t name;
        const char *words;

        TRY(bytes_append(mem, &b, view_sub(page, 0, n)));
        page = view_skip(page, n);
        if (page.len == 0) {
            break;
        }
        end = memchr(page.p, '}', page.len);
        TRY(end == NULL ? ERR_INTERNAL : OK);
        name = (size_t)(end - page.p) - 1;
        words = node_web_text((const char *)page.p + 1, name, lang);
        if (view_equal(view_sub(page, 1, name), VIEW_LIT("picture"))) {
            TRY(bytes_append(mem, &b, picture));
        } else {
            TRY(words == NULL ? ERR_INTERNAL : OK);
            TRY(bytes_append(mem, &b, view_str(words)));
        }
        page = view_skip(page, name + 2);
    }
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}
