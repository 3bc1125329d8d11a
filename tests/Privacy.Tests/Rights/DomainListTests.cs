using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class DomainListTests
{
    private static readonly DomainList List = DomainList.Read(
        new StringReader("# blocked\nexample.org a reason\n\n=www.example.net\n.example.com  # what lies below\n*.example.eu\nhttps://Pirate.example/path?x\nbücher.example\n"), "block.txt");

    [Theory]
    [InlineData("https://example.org/a", "example.org")]
    [InlineData("https://a.b.example.org/", "example.org")]
    [InlineData("http://EXAMPLE.org:8080/", "example.org")]
    [InlineData("https://notexample.org/", null)]
    [InlineData("https://example.org.evil.test/", null)]
    [InlineData("https://www.example.net/", "=www.example.net")]
    [InlineData("https://a.www.example.net/", null)]
    [InlineData("https://example.com/", null)]
    [InlineData("https://a.example.com/", ".example.com")]
    [InlineData("https://example.eu/", null)]
    [InlineData("https://x.y.example.eu/", ".example.eu")]
    [InlineData("https://cdn.pirate.example/", "pirate.example")]
    [InlineData("https://bücher.example/", "xn--bcher-kva.example")]
    [InlineData("https://user@example.org./", "example.org")]
    public void A_page_falls_under_an_entry_as_its_form_says(string url, string? entry)
    {
        RightsVerdict verdict = Sites.Judge(url, null, new RightsPolicy { Blocklist = List });
        Assert.Equal(entry is null ? null : "blocklist", verdict.Reason);
        if (entry is not null) Assert.StartsWith(entry, verdict.Decisive!.Raw, StringComparison.Ordinal);
    }

    [Fact]
    public void The_note_is_the_evidence_and_the_file_the_source() =>
        Assert.Equal(("example.org a reason", "block.txt"), (Sites.Judge("https://example.org/", null, new RightsPolicy { Blocklist = List }).Decisive!.Raw, List.Path));

    [Theory]
    [InlineData("good.example\nnot a domain!", null)]
    [InlineData("good.example\nbad!domain", "block.txt:2: 'bad!domain' is no domain")]
    [InlineData("=", "block.txt:1")]
    [InlineData("[::1]", "block.txt:1")]
    public void A_line_that_is_no_domain_is_named(string content, string? message)
    {
        if (message is null) Assert.Equal(2, DomainList.Read(new StringReader(content), "block.txt").Count);
        else Assert.StartsWith(message, Assert.Throws<UserErrorException>(() => DomainList.Read(new StringReader(content), "block.txt")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://example.org/", null, null)]
    [InlineData("example.org", null, null)]
    [InlineData("https://", null, null)]
    [InlineData("https://exa mple.org/", null, null)]
    [InlineData("https://example.org:99999/", null, null)]
    [InlineData(null, null, null)]
    [InlineData("HTTPS://Example.ORG", "example.org", "/")]
    [InlineData("http://example.org:80?q#f", "example.org", "/?q")]
    [InlineData("https://example.org:443/a#b", "example.org", "/a")]
    [InlineData("https://example.org:80/a", "example.org:80", "/a")]
    [InlineData("https://[2001:db8::1]:8443/a", "[2001:db8::1]:8443", "/a")]
    public void An_address_is_taken_apart(string? url, string? host, string? path)
    {
        WebAddress? address = WebAddress.Parse(url);
        Assert.Equal((host, path), (address?.Host, address?.Path));
    }
}
