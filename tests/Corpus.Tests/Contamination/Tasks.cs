using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests.Contamination;

/// <summary>Made-up words, items and documents.</summary>
internal static class Tasks
{
    /// <summary>Sentences in several languages and scripts, of 13 words and more, written for this test.</summary>
    public static readonly IReadOnlyDictionary<string, string> Sentences = new Dictionary<string, string>
    {
        ["de"] = "Die Fähre nach Föhr fährt im Winter nur zweimal am Tag, weil das Eis im schmalen Hafenbecken oft über Nacht zufriert.",
        ["el"] = "Ο ψαράς έδεσε τη βάρκα του στον μικρό λιμένα και ανέβηκε σιγά στον λόφο, όπου ο άνεμος φυσούσε δυνατά όλος μανία.",
        ["bg"] = "Старият мелничар продаде воденицата си на общината, защото реката вече не носеше достатъчно вода през дългото и сухо лято.",
        ["ka"] = "მეზღვაურმა ძველი რუკა მაგიდაზე გაშალა და ყველას აჩვენა, სად იდგა ოდესღაც პატარა სოფელი დიდი მდინარის მარცხენა ნაპირზე მთის ძირში.",
        ["mt"] = "Is-sajjied ħareġ kmieni filgħodu biex jaqbad il-lampuki, iżda ż-żiffa qawwija ġagħlitu jerġa' lura lejn il-port ta' Marsaxlokk qabel nofsinhar.",
        ["ga"] = "Chuaigh an múinteoir óg go dtí an t-oileán gach samhradh chun amhráin na seandaoine a bhailiú agus a scríobh síos go cúramach.",
        ["tr"] = "Yaşlı bahçıvan ılık İzmir akşamlarında incir ağaçlarının altında oturur, çocuklara ışıklı gemilerin nereden geldiğini sabırla uzun uzun anlatır dururdu.",
    };

    public static string Words(ulong seed, int count)
    {
        var random = new CounterRandom(seed, 11);
        return string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{random.At((ulong)i):x}"));
    }

    public static string Line(string id, string text, string language = "en", JsonObject? metadata = null) =>
        Encoding.UTF8.GetString(new Document(id, text, language, "s", "CC0-1.0", Metadata: metadata).ToJsonLine()) + "\n";

    public static string Item(string id, string text, string? task = null)
    {
        var item = new JsonObject { ["id"] = id, ["question"] = text };
        if (task is not null) item["task"] = task;
        return item.ToJsonString() + "\n";
    }
}
