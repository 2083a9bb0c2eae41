"""Lists of words of opposite meaning. What belongs here: the lists. What does not: finding opposites in a text, and negating
prefixes (opposites).

Groups are separated by semicolons. In a group, every word before the bar is an opposite of every word after it; regular forms
need no entry. The pairs were written for this project before the judge was measured with them: words of change, degree, order,
place, amount and judgement, which change a statement when they are exchanged. docs/benchmarks.md (Judges) says how many of
WordNet's antonyms they contain.
"""

ENGLISH = """
increase grow rise climb expand gain rose grew risen grown growth |
decrease shrink fall drop decline reduce lose fell shrank fallen lost reduction loss;
raise | lower; improve | worsen deteriorate;
accept approve allow permit accepted approval | reject refuse deny forbid ban prohibit rejection refusal denial;
agree agreement | disagree disagreement; support back endorse favour favor | oppose opposition;
win won victory | lose lost defeat loss; succeed success successful | fail failure failed;
start begin began begun launch | end finish stop; before | after; earlier previously formerly | later subsequently;
early | late; first | last; former previous | latter next; above | below under beneath;
up upward upwards | down downward downwards; inside indoors within | outside outdoors;
inner interior internal internally | outer exterior external externally; near nearby close | far distant remote;
north northern | south southern; east eastern | west western; front | back rear; top | bottom;
high higher highest | low lower lowest; tall | short; long longer longest | short shorter shortest brief;
large larger largest big bigger biggest huge great major | small smaller smallest little tiny minor;
wide broad | narrow; thick | thin; deep | shallow; heavy heavier | light lighter;
strong stronger strongest strength | weak weaker weakest weakness; hard difficult | easy easier simple;
hard solid | soft; fast faster quick quickly rapid rapidly | slow slower slowly;
hot warm hotter warmer | cold cool colder cooler; wet damp moist | dry dried; bright light | dark dim; full | empty;
good better best | bad worse worst poor; right correct accurate | wrong false inaccurate; true | false untrue;
safe safer safety | dangerous danger hazardous; rich wealthy | poor;
new newer newest modern recent | old older oldest ancient; young younger youngest | old older oldest elderly;
alive living live | dead died; birth born | death died; love like liked loved | hate dislike hated;
friend ally friendly | enemy foe hostile; happy glad happily | sad;
praise praised | criticise criticize blame condemn criticism; guilty | innocent;
guilt convict convicted | acquit acquitted; legal lawful | illegal; public publicly | private privately;
open opened | closed shut close; common frequent frequently often usually | rare rarely seldom scarce; always | never;
everyone everybody everything | nobody none nothing; all every | none; many much most more | few fewer little less;
maximum maximal maximize maximise | minimum minimal minimize minimise; usually generally | rarely seldom;
both | neither; add added addition include included insert | remove removed removal delete exclude excluded subtract;
enable enabled activate | disable disabled deactivate; accelerate | slow decelerate;
attach connect connected join joined | detach disconnect disconnected separate separated;
combine merge unite united | separate split divide divided; build create construct make | destroy demolish dismantle;
arrive arrived arrival enter entered entry come came | leave left depart departed departure exit go went; push | pull;
send sent | receive received; give gave given | take took taken; buy bought purchase | sell sold;
lend lent | borrow borrowed; import imported imports | export exported exports;
remember remembered | forget forgot forgotten; teach taught | learn learned learnt;
ask asked question | answer answered; attack attacked | defend defended defence defense; advance | retreat;
appear appeared emerge | disappear disappeared vanish vanished; strengthen strengthened | weaken weakened;
widen | narrow; lengthen extend extended | shorten shortened; encourage encouraged | discourage discouraged;
confirm confirmed | deny denied refute; hire hired employ | fire fired dismiss dismissed sack sacked;
release released free freed | capture captured arrest arrested imprison imprisoned detain detained;
escape escaped | capture captured; protect protected | harm harmed endanger; cause caused | prevent prevented;
continue continued keep kept | stop stopped cease ceased; stay stayed remain remained | leave left;
save saved | waste wasted spend spent; profit profits profitable | loss losses;
income revenue | expense expenses spending;
benefit advantage benefits advantages | drawback disadvantage harm drawbacks disadvantages;
positive positively | negative negatively; optimist optimistic | pessimist pessimistic;
active actively | passive passively inactive; static | dynamic; fixed constant | variable varying;
simple | complex complicated; general | specific particular; abstract | concrete;
explicit explicitly | implicit implicitly; local locally | global globally remote; domestic | foreign;
national | international; urban | rural; natural | artificial; physical | mental virtual;
male man men boy | female woman women girl; father son brother husband uncle | mother daughter sister wife aunt;
king | queen; parent parents | child children; employer | employee worker; buyer customer | seller; winner | loser;
victim | attacker; upper | lower; horizontal horizontally | vertical vertically;
parallel | perpendicular serial sequential; forward forwards | backward backwards;
clockwise | counterclockwise anticlockwise; ascending ascend | descending descend;
synchronous synchronously | asynchronous asynchronously; mutable | immutable;
mandatory required compulsory obligatory | optional voluntary; must shall | may; possible | impossible;
deprecated obsolete | recommended current; strict strictly | lenient loose;
same identical equal alike | different distinct; similar | different; together | apart; present presence | absence;
day daytime | night nighttime; morning | evening; summer | winter; spring | autumn; sunrise dawn | sunset dusk;
war | peace; hope | despair; courage brave | fear cowardly afraid; calm | nervous anxious; clean | dirty;
smooth | rough; sharp | blunt dull; fresh | stale; sweet | bitter sour; loud noisy | quiet silent;
clear clearly | unclear vague; visible | hidden invisible; proud | ashamed; generous | greedy selfish; polite | rude;
wise clever intelligent | foolish stupid; careful carefully | careless carelessly;
temporary temporarily | permanent permanently;
partial partially partly | complete completely entirely fully total totally; almost nearly | exactly;
voluntary voluntarily | forced; innocent harmless | harmful; healthy well | sick ill;
thaw melt melted | freeze froze frozen; expensive costly | cheap inexpensive; cheaper | dearer; busy | idle;
rising growing increasing | falling declining decreasing shrinking; gained | lost;
supporter supporters proponent | opponent opponents critic; majority | minority; ahead | behind; with | without
"""

GERMAN = """
steigen stieg gestiegen zunehmen wachsen wuchs anstieg zunahme |
fallen fiel gefallen sinken sank gesunken abnehmen rückgang abnahme;
groß größer größte hoch höher | klein kleiner kleinste niedrig niedriger; gut besser | schlecht schlechter;
alt älter | neu neuer jung jünger; vor vorher früher | nach nachher später; mehr meisten | weniger wenigsten;
viele | wenige; immer | nie niemals; alle jeder | keine keiner niemand;
gewonnen gewann gewinnen sieg | verloren verlor verlieren niederlage; stark stärker | schwach schwächer;
schnell | langsam; lang | kurz; warm heiß | kalt kühl; offen geöffnet | geschlossen zu; richtig wahr | falsch;
anfang beginn beginnen begann | ende enden endete; nord norden nördlich | süd süden südlich;
ost osten östlich | west westen westlich; links | rechts; oben | unten; innen | außen; mit | ohne;
annehmen angenommen | ablehnen abgelehnt; erlaubt | verboten
"""

FRENCH = """
augmenter augmenté hausse croissance | diminuer diminué baisse réduire réduit;
grand grande élevé | petit petite faible; bon bonne meilleur | mauvais mauvaise pire;
vieux vieille ancien ancienne | nouveau nouvelle jeune; avant | après; plus | moins; beaucoup | peu;
toujours | jamais; tous toutes | aucun aucune; gagner gagné victoire | perdre perdu défaite; fort forte | faible;
rapide rapidement | lent lentement; long longue | court courte; chaud chaude | froid froide;
ouvert ouverte | fermé fermée; vrai vraie | faux fausse; début commencer | fin finir; nord | sud; est | ouest;
gauche | droite; haut | bas; avec | sans; accepter accepté | refuser refusé rejeter rejeté;
permis autorisé | interdit; premier première | dernier dernière
"""

SPANISH = """
aumentar aumentó aumento subir subió | disminuir disminuyó disminución bajar bajó reducir;
grande alto alta | pequeño pequeña bajo baja; bueno buena mejor | malo mala peor;
viejo vieja antiguo antigua | nuevo nueva joven; antes | después; más | menos; mucho muchos | poco pocos;
siempre | nunca jamás; todos todas | ninguno ninguna; ganar ganó victoria | perder perdió derrota; fuerte | débil;
rápido rápidamente | lento lentamente; largo larga | corto corta; caliente | frío fría;
abierto abierta | cerrado cerrada; verdadero verdadera | falso falsa; comienzo principio empezar | fin final terminar;
norte | sur; este | oeste; izquierda | derecha; arriba | abajo; con | sin; aceptar aceptó | rechazar rechazó;
permitido | prohibido; primero primera | último última
"""
