"""Texts in many languages and the encodings in which such texts are found, to test how encodings are detected.

What belongs here: the texts and the names of the codecs. What does not: tests.
"""

from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "English": (
        "The baker’s daughter opened the shop at six, as she did every morning. “We are out of rye,” she said – and the "
        "café next door was, too. Nobody minded; the naïve young clerk paid £3 for the last loaf."
    ),
    "German": (
        "Die Bäckerin öffnete ihren Laden um sechs Uhr früh. Über Nacht hatte es geschneit, und auf den Dächern lag "
        "eine weiße Schicht. Die Straße zum Fluss war für größere Wagen gesperrt."
    ),
    "French": (
        "La boulangère a ouvert sa boutique à six heures. Le garçon qui livrait le lait était déjà là, gelé jusqu'aux "
        "os. « Où est passé l'élève ? » demanda-t-elle, mais personne ne le savait, bien sûr."
    ),
    "French with ligatures": (
        "Le menu à 12 € comprend un œuf, du bœuf et un cœur de laitue. Ma sœur préfère les hors-d'œuvre, très à la "
        "mode cet été. L'œil du maître ne se trompe guère."
    ),
    "Spanish": (
        "La panadera abrió su tienda a las seis de la mañana. ¿Quién había dejado la puerta abierta? El niño corrió "
        "detrás del autobús, pero ya era demasiado tarde; mañana será otro día."
    ),
    "Portuguese": (
        "A padeira abriu a loja às seis da manhã. Não havia ninguém na rua, só os pássaros e o irmão do sapateiro. "
        "As crianças chegaram depois, à procura de pão quente e de maçãs."
    ),
    "Italian": (
        "La fornaia aprì il negozio alle sei del mattino, perché la città si sveglia presto. Più tardi arrivò il "
        "postino con un pacco per la società di fronte. Così è la vita qui: c'è sempre qualcosa da fare, e già si sa."
    ),
    "Dutch": (
        "De bakker opende zijn winkel om zes uur, omdat de reünie vroeg begon. Vóór de deur stond één man met twee "
        "geïsoleerde flessen. België en Italië leverden de ingrediënten, zei hij."
    ),
    "Swedish": (
        "Bagaren öppnade sin affär klockan sex på morgonen. Det hade snöat hela natten och vägarna var hala. När "
        "flickan äntligen kom fram frågade hon efter rågbröd, men det var slut för länge sedan."
    ),
    "Danish": (
        "Bageren åbnede sin butik klokken seks om morgenen. Der lå sne på gaden, og børnene løb rundt uden sko. "
        "Pludselig begyndte kirkeklokkerne at ringe, så alle måtte gå hjem til grød og kærnemælk."
    ),
    "Norwegian": (
        "Bakeren åpnet butikken klokken seks. Det lå snø på fjellet, og båten fra øya kom ikke før utpå dagen. "
        "Etterpå gikk vi på ski helt til mørket falt på, og så spiste vi rømmegrøt ved peisen."
    ),
    "Finnish": (
        "Leipuri avasi myymälänsä kello kuusi aamulla. Yöllä oli satanut lunta, ja järven jää kesti jo kävelijän. "
        "Myöhemmin päivällä lapset hiihtivät kylän läpi ja söivät pullaa."
    ),
    "Icelandic": (
        "Bakarinn opnaði búðina klukkan sex um morguninn. Það hafði snjóað alla nóttina og vegurinn yfir heiðina var "
        "ófær. Þegar stúlkan kom loksins spurði hún hvort rúgbrauðið væri búið."
    ),
    "Estonian": (
        "Pagar avas poe kell kuus hommikul. Öösel oli sadanud lund ja järve jää kandis juba inimest. Hiljem suusatasid "
        "lapsed läbi küla, sõid saia ja jõid sooja piima; õhtul öeldi, et žürii tuleb alles ülehomme."
    ),
    "Polish": (
        "Piekarka otworzyła sklep o szóstej rano. W nocy spadł śnieg i ścieżka nad rzeką była śliska. Później przyszło "
        "kilkoro dzieci po świeże bułki, lecz ktoś już wszystkie wziął, więc poszły głodne dalej."
    ),
    "Czech": (
        "Pekařka otevřela krám v šest hodin ráno. V noci napadl sníh a cesta k řece byla kluzká. Později přišly děti "
        "pro čerstvé housky, ale ty už si někdo odnesl; žádná nezbyla."
    ),
    "Slovak": (
        "Pekárka otvorila obchod o šiestej ráno. V noci napadol sneh a cesta k rieke bola šmykľavá. Neskôr prišli "
        "deti po čerstvé rožky, ale tie už ktosi kúpil, takže ľudia odchádzali hladní."
    ),
    "Hungarian": (
        "A pék hat órakor nyitotta ki a boltját. Éjszaka havazott, és a folyóhoz vezető út csúszós volt. Később "
        "megérkeztek a gyerekek friss zsömléért, de azt már elvitte valaki, így éhesen mentek tovább az őszi erdőbe."
    ),
    "Romanian": (
        "Brutăreasa a deschis prăvălia la ora şase dimineaţa. Peste noapte ninsese, iar drumul către râu era alunecos. "
        "Mai târziu au venit copiii după pâine caldă, însă cineva o luase deja pe toată."
    ),
    "Romanian with commas below": (
        "Brutăreasa a deschis prăvălia la ora șase dimineața. Peste noapte ninsese, iar țăranii așteptau pe uliță. "
        "Mai târziu au venit și copiii după pâine caldă, însă cineva o luase deja pe toată."
    ),
    "Croatian": (
        "Pekarica je otvorila dućan u šest ujutro. Noću je pao snijeg i put prema rijeci bio je sklizak. Kasnije su "
        "došla djeca po svježe kiflice, ali netko ih je već odnio, pa su otišla kući gladna i žalosna."
    ),
    "Slovenian": (
        "Pekarica je odprla trgovino ob šestih zjutraj. Ponoči je zapadel sneg in pot do reke je bila spolzka. "
        "Pozneje so prišli otroci po sveže žemlje, a jih je nekdo že vzel, zato so odšli lačni."
    ),
    "Albanian": (
        "Furrtarja e hapi dyqanin në orën gjashtë të mëngjesit. Natën kishte rënë borë dhe rruga për te lumi ishte e "
        "rrëshqitshme. Më vonë erdhën fëmijët për bukë të ngrohtë, por dikush e kishte marrë të gjithën."
    ),
    "Lithuanian": (
        "Kepėja atidarė parduotuvę šeštą valandą ryto. Naktį prisnigo, ir takas prie upės buvo slidus. Vėliau atėjo "
        "vaikai šviežių bandelių, bet jas kažkas jau buvo išpirkęs, todėl jie grįžo namo alkani."
    ),
    "Latvian": (
        "Maizniece atvēra veikalu sešos no rīta. Naktī bija uzsnidzis, un ceļš uz upi bija slidens. Vēlāk atnāca bērni "
        "pēc svaigām maizītēm, bet kāds tās jau bija paņēmis, tāpēc viņi gāja mājās izsalkuši."
    ),
    "Turkish": (
        "Fırıncı dükkânını sabah altıda açtı. Gece kar yağmıştı ve nehre giden yol kaygandı. Öğleden sonra çocuklar "
        "taze ekmek almaya geldi, ama biri hepsini almıştı; şimdi ne yapacaklarını düşünüyorlardı."
    ),
    "Russian": (
        "Булочница открыла лавку в шесть часов утра. Ночью выпал снег, и дорога к реке стала скользкой. Позже пришли "
        "дети за свежим хлебом, но кто-то уже всё забрал, и они ушли домой голодными."
    ),
    "Ukrainian": (
        "Пекарка відчинила крамницю о шостій ранку. Уночі випав сніг, і стежка до річки стала слизькою. Згодом "
        "прийшли діти по свіжий хліб, але хтось уже все забрав, і вони пішли додому голодні. Їхній дід чекав."
    ),
    "Belarusian": (
        "Пекарка адчыніла краму а шостай раніцы. Уначы выпаў снег, і сцежка да ракі стала слізкай. Пазней прыйшлі "
        "дзеці па свежы хлеб, але нехта ўжо ўсё забраў, і яны пайшлі дадому галодныя."
    ),
    "Bulgarian": (
        "Хлебарката отвори магазина в шест часа сутринта. През нощта беше валял сняг и пътят към реката беше хлъзгав. "
        "По-късно децата дойдоха за топъл хляб, но някой вече го беше взел."
    ),
    "Serbian": (
        "Пекарка је отворила радњу у шест ујутру. Ноћу је пао снег и пут ка реци био је клизав. Касније су дошла деца "
        "по свеже кифле, али их је неко већ однео, па су отишла кући гладна и жељна хлеба."
    ),
    "Macedonian": (
        "Пекарката ја отвори продавницата во шест часот наутро. Ноќта паднал снег и патот кон реката бил лизгав. "
        "Подоцна дојдоа децата по топол леб, но некој веќе го зел, па си отидоа дома гладни. Ѕвездите се гледаа."
    ),
    "Greek": (
        "Η φουρνάρισσα άνοιξε το μαγαζί στις έξι το πρωί. Τη νύχτα είχε χιονίσει και ο δρόμος προς το ποτάμι γλιστρούσε. "
        "Αργότερα ήρθαν τα παιδιά για φρέσκο ψωμί, όμως κάποιος το είχε ήδη πάρει όλο."
    ),
    "Hebrew": (
        "האופה פתחה את החנות בשש בבוקר. בלילה ירד שלג והדרך אל הנהר הייתה חלקה. אחר כך באו הילדים לקנות לחם טרי, "
        "אבל מישהו כבר לקח את הכול, ולכן הם הלכו הביתה רעבים."
    ),
    "Arabic": (
        "فتحت الخبازة دكانها في الساعة السادسة صباحا. كان الثلج قد سقط في الليل وأصبح الطريق إلى النهر زلقا. ثم جاء "
        "الأطفال يطلبون خبزا طازجا، لكن أحدهم كان قد أخذه كله، فعادوا إلى بيوتهم جائعين."
    ),
    "Persian": (
        "نانوا ساعت شش صبح مغازه را باز کرد. شب برف باريده بود و راه رودخانه لغزنده بود. بعد بچه‌ها براي نان تازه "
        "آمدند، اما کسي همه را برده بود و آنها گرسنه به خانه برگشتند. چه روز سردي بود."
    ),
    "Vietnamese": (
        "Bà chủ lò bánh mở cửa hàng lúc sáu giờ sáng. Đêm qua trời mưa to nên con đường ra sông rất trơn. Sau đó bọn "
        "trẻ đến mua bánh mì nóng, nhưng có người đã lấy hết rồi, thế là chúng đói bụng đi về nhà."
    ),
    "Thai": (
        "คนทำขนมปังเปิดร้านตอนหกโมงเช้า เมื่อคืนฝนตกหนักและทางไปแม่น้ำก็ลื่นมาก ต่อมาเด็กๆ มาซื้อขนมปังร้อน "
        "แต่มีคนเอาไปหมดแล้ว พวกเขาจึงกลับบ้านด้วยความหิว"
    ),
    "Japanese": (
        "パン屋の娘は朝六時に店を開けた。夜のあいだに雪が降り、川へ行く道は滑りやすくなっていた。そのあと子どもたちが焼きたての"
        "パンを買いに来たが、もう誰かが全部持って行ってしまっていた。"
    ),
    "Chinese, simplified": (
        "面包师的女儿早上六点就开了店门。夜里下了一场大雪，通往河边的路很滑。后来孩子们来买刚出炉的面包，可是有人已经全部拿走了，"
        "他们只好饿着肚子回家。"
    ),
    "Chinese, traditional": (
        "麵包師的女兒早上六點就開了店門。夜裡下了一場大雪，通往河邊的路很滑。後來孩子們來買剛出爐的麵包，可是有人已經全部拿走了，"
        "他們只好餓著肚子回家。"
    ),
    "Korean": (
        "빵집 딸은 아침 여섯 시에 가게 문을 열었다. 밤새 눈이 내려서 강으로 가는 길이 미끄러웠다. 나중에 아이들이 갓 구운 빵을 "
        "사러 왔지만, 누군가가 벌써 다 가져가 버려서 배고픈 채로 집에 돌아갔다."
    ),
    "Hindi": (
        "बेकरी वाली ने सुबह छह बजे दुकान खोली। रात में बर्फ़ गिरी थी और नदी की ओर जाने वाला रास्ता फिसलन भरा था। बाद में बच्चे "
        "ताज़ी रोटी लेने आए, लेकिन कोई सब ले जा चुका था।"
    ),
    "Georgian": (
        "მცხობელმა მაღაზია დილის ექვს საათზე გააღო. ღამით თოვლი მოვიდა და მდინარისკენ მიმავალი გზა მოყინული იყო. "
        "მერე ბავშვები ახალი პურისთვის მოვიდნენ, მაგრამ ვიღაცას უკვე ყველაფერი წაეღო."
    ),
    "Armenian": (
        "Հացթուխը խանութը բացեց առավոտյան ժամը վեցին։ Գիշերը ձյուն էր եկել, և դեպի գետը տանող ճանապարհը սայթաքուն էր։ "
        "Հետո երեխաները եկան թարմ հացի, բայց ինչ-որ մեկն արդեն տարել էր ամբողջը։"
    ),
    "Tamil": (
        "ரொட்டி சுடுபவர் காலை ஆறு மணிக்குக் கடையைத் திறந்தார். இரவில் மழை பெய்ததால் ஆற்றுக்குப் போகும் பாதை வழுக்கியது. "
        "பிறகு குழந்தைகள் வந்தார்கள், ஆனால் யாரோ எல்லாவற்றையும் எடுத்துச் சென்றுவிட்டார்."
    ),
}
"""Two to four sentences in each language."""

_WESTERN = ("cp1252", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859_2")
USUAL_CODECS: Mapping[str, tuple[str, ...]] = {
    "English": ("cp1252", "mac_roman"),
    "German": (*_WESTERN, "iso8859_15"),
    "French": (*_WESTERN, "iso8859_15"),
    "French with ligatures": ("cp1252", "iso8859_15", "mac_roman"),
    "Spanish": (*_WESTERN, "iso8859_15"),
    "Portuguese": ("cp1252", "iso8859_15"),
    "Italian": ("cp1252", "iso8859_15"),
    "Dutch": ("cp1252",),
    "Swedish": (*_WESTERN, "iso8859_15"),
    "Danish": ("cp1252", "iso8859_15"),
    "Norwegian": ("cp1252", "iso8859_15"),
    "Finnish": ("cp1252", "iso8859_15"),
    "Icelandic": ("cp1252", "iso8859_15"),
    "Estonian": ("cp1257", "iso8859_15"),
    "Polish": (*_CENTRAL, "cp852"),
    "Czech": (*_CENTRAL, "cp852"),
    "Slovak": _CENTRAL,
    "Hungarian": (*_CENTRAL, "cp852"),
    "Romanian": _CENTRAL,
    "Croatian": _CENTRAL,
    "Slovenian": _CENTRAL,
    "Albanian": ("cp1252",),
    "Lithuanian": ("cp1257", "iso8859_13"),
    "Latvian": ("cp1257", "iso8859_13"),
    "Turkish": ("cp1254", "iso8859_9"),
    "Russian": ("cp1251", "koi8_r", "iso8859_5", "cp866", "mac_cyrillic"),
    "Ukrainian": ("cp1251", "koi8_u"),
    "Belarusian": ("cp1251",),
    "Bulgarian": ("cp1251", "iso8859_5"),
    "Serbian": ("cp1251", "iso8859_5"),
    "Macedonian": ("cp1251",),
    "Greek": ("cp1253", "iso8859_7"),
    "Hebrew": ("cp1255", "iso8859_8"),
    "Arabic": ("cp1256", "iso8859_6"),
    "Persian": ("cp1256",),
    "Vietnamese": ("cp1258",),
    "Thai": ("cp874", "tis_620"),
    "Japanese": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "Chinese, simplified": ("gb2312", "gbk", "gb18030"),
    "Chinese, traditional": ("big5",),
    "Korean": ("euc_kr", "cp949"),
}
"""Language -> the codecs other than those of Unicode in which its texts are usually found.

Romanian in ISO-8859-16 is not here: its bytes are those of ISO-8859-2, with other letters for two of them.
"""

WIDE_CODECS = ("utf_16_le", "utf_16_be", "utf_32_le", "utf_32_be")
"""The codecs of Unicode that are tried without a byte order mark, in every language."""
