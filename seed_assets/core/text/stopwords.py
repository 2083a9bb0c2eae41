"""Stop words by language. What belongs here: the lists, and which of them fits a text. What does not: what else disqualifies
a phrase (phrases).

There are lists for English, German, French, Spanish, Italian, Portuguese, Dutch, Russian and Arabic. A text in another
language is not filtered by the words of its language. ADR 0025 compares the lists with a library.
"""

from collections import Counter
from collections.abc import Iterable

# Function words come first, then verbs, adverbs and general nouns that are rarely the subject of a phrase.
_ENGLISH = """
a about above after again against all also am among amongst an and any are aren as at be became because
become becomes been before being below between both but by can cannot could couldn did didn do does doesn
doing don done down during each either else ever every few for from further had hadn has hasn have haven
having he hence her here hers herself him himself his how however i if in into is isn it its itself just
least less let like ll may me might mine more most much must my myself neither never no none nor not now of
off on once one only onto or other others otherwise our ours ourselves out over own per perhaps quite rather
re same shall she should shouldn since so some such than that the their theirs them themselves then there
thereby therefore these they this those though through throughout thus till to too toward towards two under
unless until up upon us ve very via was wasn we were weren what whatever when whenever where whereas whether
which while who whoever whom whose why will with within without won would wouldn yet you your yours yourself
yourselves able across actually added adds allow allowed allowing allows almost along already although
always another anyone anything anyway appear appears apply around ask asked assume available away back based
basically behind believe beyond called came case cases cause causes certain certainly clear clearly come
comes coming common commonly consider considered contain containing contains correct couple currently define
defined defines depending depends describe described describes despite determine different difficult
directly discussed due easier easily easy effectively enough especially essentially etc even eventually
everyone everything exactly example examples except existing expect expected explain explicitly fact fairly
far find five follow followed following follows form found four full fully furthermore gave general
generally get gets getting give given gives giving go goes going gone good got great had handled happen
happens help helps highly hold idea important include included includes including indeed instead intended
introduce introduced introduces keeps kept kind kinds knew know known knows largely later latter lead leads
left let likely little long longer look looked looking looks lot lots made mainly make makes making many
maybe mean means mention mentioned merely moreover mostly namely nearly necessary need needed needs nice
nothing note notes noted obtain obtained obvious obviously occur occurs often ok old one ones particular
particularly please possible possibly potentially presented prevent previous previously probably proper
properly propose proposed proposes provide provided provides providing put rarely reader recent recently
refer referred relatively relevant remain remains require required requires respectively resulting said saw
say saying says see seem seemed seems seen several show showed shown shows similar similarly simply
simultaneously slightly somehow someone something sometimes somewhat soon specific specifically specified
specify start started starts still suggest suggested suggests sure take taken takes taking tend thank thanks
thing things think third thought three today together told took tried tries true try trying typically
understand unfortunately unlike use used useful uses using usual usually various want wanted wants way ways
well went whole widely wish won work works worse worth yes
"""
_GERMAN = """
aber alle allem allen aller alles als also am an ander andere anderen anderer anderes auch auf aus bei beim
bereits bevor bin bis bist bzw da dabei dadurch dafür dagegen daher damit danach dann daran darauf daraus
darin darüber darum das dass dazu dem den denen denn der deren des dessen dich die dies diese diesem diesen
dieser dieses dir doch dort du durch ebenso ein eine einem einen einer eines einige einigen einmal er erst
erste ersten es etwa etwas euch euer für gab gegen gegeben gemacht gibt ging hat hatte hatten hätte haben
hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins insgesamt ist ja je jede
jedem jeden jeder jedes jedoch jetzt kam kann kein keine keinen können könnte machen man manche mehr mein
meine meist meisten mich mit möglich muss müssen musste nach nachdem neben neue neuen nicht nichts noch nun
nur ob obwohl oder ohne pro schon sehr sein seine seinem seinen seiner seit seitdem selbst sich sie sind so
sogar solche soll sollen sollte sollten somit sondern sonst sowie sowohl statt über um und uns unser unter
viel viele vielen vom von vor wann war waren warum was wegen weil weiter weitere weiteren welche welchem
welchen welcher welches wenig weniger wenn wer werden wie wieder will wir wird wo wobei wollen wollte worden
wurde wurden würde zu zum zur zwar zwei zwischen
"""
_FRENCH = """
ai ainsi alors après au aucun aussi autre autres aux avait avant avec avoir car ce cela celle celui ces cet
cette ceux chaque chez ci comme comment dans de depuis des deux dit doit donc dont du elle elles en encore
entre est et étaient était étant été être eu eux fait faire fois font furent fut ici il ils je jusqu la
laquelle le lequel les leur leurs lors lorsque lui ma mais me même mêmes mes moi moins mon ne ni non nos
notre nous on ont ou où par parce pas pendant peu peut peuvent plus plusieurs pour pourquoi puis qu quand
que quel quelle quelles quels qui quoi sa sans se selon sera ses si soit son sont sous sur ta tandis te tel
telle tes toi ton tous tout toute toutes très trop tu un une vers voir vos votre vous y
"""
_SPANISH = """
a al algo algunas algunos ante antes aquel así aun aunque bajo bien cada casi como con contra cual cuales
cuando cuya cuyo de debe del desde después donde dos durante e el él ella ellas ellos en entonces entre era
eran es esa esas ese eso esos esta está están estas este esto estos fue fueron ha había habían hace hacia
han hasta hay la las le les lo los más me mediante mi mientras mientras mismo mucho muchos muy nada ni no
nos nosotros o os otra otras otro otros para pero poco por porque pueden puede pues que qué quien quienes se
sea según ser si sí sido siempre sin sino sobre solo sólo son su sus también tan tanto te tener tiene tienen
toda todas todo todos tras tu un una uno unos y ya yo
"""
_ITALIAN = """
a ad agli ai al alla alle allo altra altri altro anche ancora avere aveva c che chi ci come con contro cosa
così cui da dagli dai dal dalla dalle dallo degli dei del della delle dello deve di dopo dove due e è ed era
erano essere fa fra già gli ha hanno i il in io l la le lei lo loro lui ma mentre mi mia mio molto ne negli
nei nel nella nelle nello noi non nostra nostro o ogni oltre per perché però più poi può prima proprio qual
quale quali quando quanto quasi quella quelle quelli quello questa queste questi questo qui se sei sempre
senza si sia siamo solo sono sopra stata stati stato su sua sue sugli sui sul sulla sulle suo suoi tra tutta
tutte tutti tutto un una uno vi voi
"""
_PORTUGUESE = """
a à ainda além algumas alguns ao aos apenas após aquela aquele as às até cada com como contra da das de dela
dele deles depois desde dessa desse desta deste do dois dos duas durante e é ela elas ele eles em embora
enquanto entre era eram essa essas esse esses esta está estão estas este estes eu foi foram há isso isto já
lhe mais mas me mesmo muito muitos na não nas nem nessa nesse nesta neste no nos nós o onde os ou outra
outras outro outros para pela pelas pelo pelos pode podem por porque qual quando quanto que quem são se seja
sem sempre ser será seu seus sido sob sobre sua suas também tão tem têm tinha toda todas todo todos um uma
umas uns você
"""
_DUTCH = """
aan al alle alleen als altijd ander andere beide bij daar dan dat de deze die dit doen door dus een eerste
elk en er geen geweest haar had hadden heb hebben heeft hem hen het hier hij hoe hun iets ik in is ja je kan
kon kunnen later maar meer men met mijn moet moeten na naar niet niets nog nu of om omdat onder ons ook op
over reeds sinds te tegen tijdens toch toen tot tussen twee u uit uw van veel vele voor waar waren was wat
we weer wel welke werd werden wie wil wordt worden ze zelf zich zij zijn zo zoals zou zouden
"""
_RUSSIAN = """
а без более больше будет будто бы был была были было быть в вам вас весь во вот все всего всех вы где да
даже для до другой его ее её если есть еще ещё ж же за здесь и из или им иногда их к как какая какой когда
конечно кто куда ли лучше между меня мне много может можно мой моя мы на над надо нас не него нее ней нельзя
нет ни нибудь никогда ним них ничего но ну о об один он она они оно опять от перед по под после потом потому
почти при про раз разве с сам себе себя сейчас со так также такой там тебя тем теперь то тогда того тоже
только том тот три тут ты у уж уже хоть хотя чего чем через что чтоб чтобы чуть эта эти этих это этого этой
этом этот эту я являются является
"""
_ARABIC = """
في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين أن إن أو ثم لا لم لن ما كان كانت يكون تكون قد كل بعض بين
بعد قبل عند حتى هو هي هم نحن أنا أنت كما لكن غير أي أيضا منذ حيث كذلك إذا وقد فقد وهو وهي به بها له لها فيه
فيها منه منها عليه عليها و ولم ولا وفي ومن وكان كيف لقد خلال حول دون أكثر هناك
"""


def stop_words(words: Iterable[str]) -> frozenset[str]:
    """Return the stop words for a text of these (case-folded) words.

    They are the English ones, unless the list of another language covers more of the text. Only one list is used, since
    words such as "die", "son" or "no" are stop words of one language and ordinary words of another.
    """
    covered = covered_by_language(words)
    return LISTS[max(covered, key=lambda language: (covered[language], language == "english"))]


def covered_by_language(words: Iterable[str]) -> dict[str, int]:
    """Return how many of these (case-folded) words are stop words, by language ("english", "german", ...)."""
    covered = dict.fromkeys(LISTS, 0)
    for word, count in Counter(words).items():
        for language in _LANGUAGES.get(word, ()):
            covered[language] += count
    return covered


LISTS = {
    "arabic": frozenset(_ARABIC.split()),
    "dutch": frozenset(_DUTCH.split()),
    "english": frozenset(_ENGLISH.split()),
    "french": frozenset(_FRENCH.split()),
    "german": frozenset(word.casefold() for word in _GERMAN.split()),
    "italian": frozenset(_ITALIAN.split()),
    "portuguese": frozenset(_PORTUGUESE.split()),
    "russian": frozenset(_RUSSIAN.split()),
    "spanish": frozenset(_SPANISH.split()),
}

_LANGUAGES = {
    word: tuple(language for language, listed in LISTS.items() if word in listed)
    for word in frozenset().union(*LISTS.values())
}
