using System.Text;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

public sealed class SegmentTests : IDisposable
{
    private const string German = "Die Regierung hat gestern neue Regeln für den Verkehr beschlossen. Viele Menschen sind damit nicht einverstanden. ";
    private const string French = "Le gouvernement a adopté hier de nouvelles règles pour la circulation. Beaucoup de gens ne sont pas d'accord. ";
    private const string Greek = "Η κυβέρνηση ενέκρινε χθες νέους κανόνες για την κυκλοφορία. Πολλοί άνθρωποι δεν συμφωνούν. ";
    private const string Bulgarian = "Правителството прие вчера нови правила за движението. Много хора не са съгласни. ";
    private const string Finnish = "Hallitus hyväksyi eilen uudet liikennesäännöt. Monet ihmiset eivät ole samaa mieltä. ";

    private readonly LanguageIdentifier _identifier = LanguageIdentifier.BuiltIn();

    [Fact]
    public void A_mixed_document_falls_into_its_languages()
    {
        string[] parts = [German, French, Greek, Bulgarian, Finnish, German];
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(parts));
        var segments = _identifier.Segment(text);
        Assert.Equal(["de", "fr", "el", "bg", "fi", "de"], segments.Select(segment => segment.Label));
        int start = 0;
        foreach (var (segment, part) in segments.Zip(parts))
        {
            Assert.Equal((start, Encoding.UTF8.GetByteCount(part)), (segment.Start, segment.Length));
            Assert.InRange(segment.Confidence, 0.9, 1);
            start += segment.Length;
        }
    }

    [Fact]
    public void A_text_of_one_language_is_one_segment_in_spite_of_names_and_titles()
    {
        byte[] text = Encoding.UTF8.GetBytes(German + "Er las „The Name of the Rose“. Dann kam John Smith. " + German);
        var segment = Assert.Single(_identifier.Segment(text));
        Assert.Equal(("de", 0, text.Length), (segment.Label, segment.Start, segment.Length));
    }

    [Fact]
    public void Lines_of_code_between_sentences_are_no_language()
    {
        const string Code = "if (count > 0) { buffer[index++] = value; return result.length; }\nwhile (node != null) { node = node.next; total += node.size; }\n";
        byte[] text = Encoding.UTF8.GetBytes(French + "\n" + Code + French);
        Assert.Equal(["fr", "zxx", "fr"], _identifier.Segment(text).Select(segment => segment.Label));
    }

    [Fact]
    public void Segments_cover_the_text_whatever_it_holds()
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('x', 3_000) + German + "\u0000\uFFFD 中文。" + Greek + new string(' ', 500));
        int end = 0;
        foreach (var segment in _identifier.Segment(text))
        {
            Assert.Equal(end, segment.Start);
            end += segment.Length;
        }

        Assert.Equal(text.Length, end);
        Assert.Empty(_identifier.Segment([]));
    }

    public void Dispose() => _identifier.Dispose();
}
