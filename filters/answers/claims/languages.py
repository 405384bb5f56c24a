"""The words by which people state an answer, by language: nouns for it, what links them to the value, and more.

One row for each language. All texts are regular expressions and match in any case; a new language is a new row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How one language states an answer.

    `keywords` are plain lower-case strings, one of which stands in each of its statements. `nouns` name the answer, and
    `links` stand between noun and value. A colon, a dash or `=` links in every language. `not_ours` stands right before
    the noun of a statement that claims nothing (`if the answer is`). `fillers` stand before the value without changing
    it, `tails` begin what follows the value and is no part of it, and `retractions` take back what stands before them.
    """

    keywords: tuple[str, ...]
    nouns: str
    links: str = r"(?!)"
    not_ours: str = r"(?!)"
    fillers: str = r"(?!)"
    tails: str = r"(?!)"
    retractions: str = r"(?!)"


ENGLISH = Language(
    keywords=(
        "answer",
        "final result",
        "final value",
        "correct option",
        "correct choice",
        "right option",
        "ans:",
        "ans.",
    ),
    nouns=(
        r"(?:answers?|final (?:numerical )?(?:result|value|solution)|(?:correct|right) (?:option|choice)|ans\b)"
        r"(?:\s+(?:to|for|of|in|here)\b(?![:=])[^.!?:=\n]{0,80}?|,\s*(?:therefore|thus|hence|then|in fact|of course),)?"
    ),
    links=(
        r"(?:is|are|was|equals|would be|should be|will be|must be|has to be|comes out (?:to be|to|as)"
        r"|becomes|turns out to be)\b"
        r"|of\b(?=\s*[\\$0-9-])|(?<=\bans)\.(?=\s*[\\$(0-9A-J-])"
    ),
    not_ours=(
        r"(?:if|suppose|supposing|assume|assuming|whether|unless|let|why|when|wrong|incorrect|false"
        r"|no|possible|candidate"
        r"|first|initial|previous|old|earlier|estimated|naive|tempting|intermediate|partial"
        r"|student'?s|his|her|their|whose"
        r"|perhaps|maybe|possibly)(?:\s+(?:that|the|an?|our|my|final|correct))*"
    ),
    fillers=(
        r"(?:therefore|thus|then|hence|so|simply|just|exactly|indeed|clearly|obviously|still|also|now"
        r"|actually|really|in fact"
        r"|equal to|given by|option|choice|answer|letter|approximately|about|roughly|around"
        r"|a total of|at|that|found to be)\b"
    ),
    tails=(
        r"(?:because|since|which|so|(?:where|when|for)\b(?!.*\b(?:for|otherwise|when|if)\b)|that|as|but|given|instead|rather|not|hence|thus"
        r"|therefore|then|whereas|while"
        r"|meaning|giving|making|leaving|resulting|i\.e\.|in total|in all|altogether|of (?:the|a|an"
        r"|all|her|his|their|its|my|our|it|them|this|that)"
        r"|and (?:the|it|he|she|we|they|there|this|that|so|thus|therefore|an?(?! (?:half|third|quarter|[a-z]+th)\b)))\b"
    ),
    retractions=(
        r"\b(?:wait|oops|whoops|hold on|hmm+|sorry|apologies|apologize|no(?=\W{0,2}[,.!:—-])|actually"
        r"|(?:however|but),? (?:that|this|it|my|i)\b)"
        r"[^.!?\n]{0,60}?\b(?:wrong|incorrect|not (?:right|correct|true|quite right)"
        r"|(?<!\bno )(?:mistake|error)"
        r"|isn't (?:right|correct)|(?:can't|cannot) be (?:right|correct)|miscalculated|misread|miscounted"
        r"|forgot)\b(?![^.!\n]{0,80}\?)"
        r"|\b(?:wait|oops|hold on|hmm+)\b\W{1,4}\b(?:no|actually)\b|\bno\b\W{1,3}(?:wait|actually)\b"
        r"|(?:^|[.!\n])\W{0,8}no[.!,:]|\bscratch that\b"
        r"|\bi (?:have )?made (?:a|an|some) (?:\w+ )?(?:mistake|error)"
        r"|\bi was wrong\b|\bcorrection\s*:|\blet me (?:redo|correct|fix|start over|try again)\b"
        r"|^\W*(?:(?:(?:but|however|and)\b,?\s*)?(?:that|this|it|which)(?:\s+answer)?"
        r"(?:'s|’s|\s+(?:is|was|must be))|is|was)\s+(?:clearly\s+)?"
        r"(?:(?:wrong|incorrect|false|a mistake|not (?:right|correct|true))\b"
        r"|(?:im|not )possible(?=\W{0,9}(?:$|[.!\n])))"
        r"(?![^.!\n]{0,80}\?)"
    ),
)

LANGUAGES = {
    "english": ENGLISH,
    "chinese": Language(
        keywords=("答案", "答：", "答:", "故选", "应选", "最终结果", "故選"),
        nouns=r"(?:(?:最终|正确|最后)?答案|(?<![回解])答(?=[:：])|故[选選]择?|应选|最终结果|正确(?:选项|答案))(?:应该|应当|应|就)?",
        links=r"(?:】?\s*(?:是|为|為|等于|即为|：|:)|】)|(?<=[选選])(?=\s*[(（]?[A-Z])",
        not_ours=r"(?:如果|假设|若)",
        fillers=r"(?:选项|选择|约为|大约|所以|因此)",
        tails=r"(?:因为|由于|所以|因此|故|即|其中|个|個|只|本|人|名|张|条|块|岁|天|次|种|头|件|枚|辆|棵|支|朵)",
        retractions=r"不对|错了|不正确|有误|是错误的|更正|算错",
    ),
    "german": Language(
        keywords=("antwort", "ergebnis", "lösung"),
        nouns=r"(?:(?:end|schluss)?antwort|(?:end)?ergebnis|lösung)(?:\s+auf\s[^.!?:=\n]{0,60}?)?",
        links=r"(?:ist|lautet|lauten|sind|beträgt|wäre)\b|(?<=lautet die antwort)(?=\s+[\\$0-9-])",
        not_ours=r"(?:wenn|falls|ob|dass|angenommen)(?:\s+die|\s+das)?",
        fillers=r"(?:also|daher|somit|genau|folglich|ungefähr|etwa|demnach)\b",
        tails=r"(?:weil|denn|da|wobei|sodass|und (?:der|die|das|es)|der|des|von)\b",
        retractions=(
            r"\b(?:das|dies) ist (?:falsch|nicht richtig|nicht korrekt)|\bwarte\b\W{1,3}nein"
            r"|\bich habe mich (?:geirrt|verrechnet)|\bkorrektur\s*:"
        ),
    ),
    "french": Language(
        keywords=("réponse", "reponse", "résultat", "resultat"),
        nouns=r"(?:r[ée]ponses?|r[ée]sultat)(?:\s+(?:finale?|correcte?|exacte?))?(?:\s+à\s[^.!?:=\n]{0,60}?)?",
        links=r"(?:est|sont|vaut|serait)\b",
        not_ours=r"(?:si|que)(?:\s+la|\s+le)?",
        fillers=r"(?:donc|alors|exactement|environ|ainsi|égale? à|de)\b",
        tails=r"(?:car|parce que|puisque|donc|qui|où|et (?:le|la|il|elle)|du|de la|des)\b",
        retractions=(
            r"\bc'est (?:faux|incorrect)|\bje me suis tromp|\battend(?:s|ez)\b\W{1,4}(?:non|c'est faux)"
            r"|\bcorrection\s*:"
        ),
    ),
    "spanish": Language(
        keywords=("respuesta", "resultado"),
        nouns=r"(?:respuestas?|resultado)(?:\s+(?:finale?s?|correctas?))?(?:\s+al?\s[^.!?:=\n]{0,60}?)?",
        links=r"(?:es|son|sería|será)\b",
        not_ours=r"(?:si|que)(?:\s+la|\s+el)?",
        fillers=r"(?:entonces|por lo tanto|por tanto|exactamente|aproximadamente|la opción|opción|igual a)\b",
        tails=r"(?:porque|ya que|pues|que|donde|y (?:el|la)|del|de (?:la|los|las))\b",
        retractions=(
            r"\b(?:eso|esto) (?:es|está) (?:incorrecto|mal|equivocado)|\bme equivoqu"
            r"|\bespera\b\W{1,4}no\b|\bcorrección\s*:"
        ),
    ),
    "portuguese": Language(
        keywords=("resposta", "resultado"),
        nouns=r"(?:respostas?|resultado)(?:\s+(?:final|finais|corretas?))?",
        links=r"(?:é|são|seria|será)(?!\w)",
        fillers=r"(?:então|portanto|exatamente|a opção|opção)\b",
        tails=r"(?:porque|pois|já que|que|onde|do|da)\b",
        retractions=r"\bisso está errado|\beu errei",
    ),
    "italian": Language(
        keywords=("risposta", "risultato"),
        nouns=r"(?:rispost[ae]|risultato)(?:\s+(?:finale|corrett[ao]|esatt[ao]))?",
        links=r"(?:è|sono|sarebbe)(?!\w)",
        fillers=r"(?:quindi|dunque|esattamente|circa)\b",
        tails=r"(?:perché|poiché|quindi|che|dove|del|della)\b",
        retractions=r"\bè sbagliato|\bho sbagliato",
    ),
    "dutch": Language(
        keywords=("antwoord",), nouns=r"(?:eind)?antwoord", links=r"(?:is|luidt)\b", tails=r"(?:omdat|want)\b"
    ),
    "russian": Language(
        keywords=("ответ", "результат"),
        nouns=r"(?:ответ|результат)(?:ом)?(?:\s+(?:на|к)\s[^.!?:=\n]{0,60}?)?",
        links=r"(?:равен|есть|это|является|будет)(?!\w)",
        not_ours=r"(?:если|что)",
        fillers=r"(?:число|вариант|примерно|ровно|это)(?!\w)",
        tails=r"(?:потому что|так как|поскольку|ведь|где)(?!\w)",
        retractions=r"это (?:неверно|неправильно|ошибка)|я ошиб(?:ся|лась)|подождите?\W{1,4}нет|исправл(?:ение|яю)",
    ),
    "ukrainian": Language(keywords=("відповідь",), nouns=r"відповідь", links=r"(?:є|це|дорівнює)(?!\w)"),
    "polish": Language(keywords=("odpowiedź", "odpowiedz"), nouns=r"odpowied[źz]", links=r"(?:to|jest|brzmi)\b"),
    "turkish": Language(keywords=("cevap",), nouns=r"cevap"),
    "vietnamese": Language(keywords=("đáp án", "đáp số"), nouns=r"đáp (?:án|số)", links=r"(?:là)(?!\w)"),
    "indonesian": Language(keywords=("jawaban",), nouns=r"jawaban(?:nya)?(?:\s+akhir)?", links=r"(?:adalah)\b"),
    "japanese": Language(
        keywords=("答え", "解答", "正解", "答:", "答："),
        nouns=r"(?:最終的な)?(?:答え|解答|正解)",
        links=r"(?:は|が)",
        fillers=r"(?:およそ|約)",
        tails=r"(?:です|である|でした|になります|となります|となる|だ(?![^。\s])|個|人|本|枚|匹|冊|なぜなら)",
        retractions=r"間違(?:い|え)|違います|正しくありません",
    ),
    "korean": Language(
        keywords=("정답", "답은", "답:", "답 :"),
        nouns=r"(?:최종\s*)?(?:정답|답)",
        links=r"(?:은|는|이)",
        tails=r"(?:입니다|이다|이에요|예요|개|명|왜냐하면)",
        retractions=r"틀렸|잘못",
    ),
    "arabic": Language(
        keywords=("الجواب", "الإجابة", "الاجابة"),
        nouns=r"(?:الجواب|الإجابة|الاجابة)(?:\s+(?:النهائية|النهائي|الصحيحة|الصحيح))?",
        links=r"(?:هو|هي)(?!\w)",
        tails=r"(?:لأن)",
    ),
    "hindi": Language(
        keywords=("उत्तर",),
        nouns=r"(?:अंतिम\s+)?उत्तर",
        links=r"(?:है|होगा)(?=\s*[:：])",
        tails=r"(?:है|क्योंकि)",
    ),
}
