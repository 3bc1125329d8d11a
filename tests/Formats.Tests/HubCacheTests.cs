using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Hub;
using OpenEuroLLM.Formats.Tests.Hostile;

namespace OpenEuroLLM.Formats.Tests;

public sealed class HubCacheTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TemporaryFolder _folder = new();

    private HubCache Cache => new(_folder.File("hub"));

    private string Repository => Path.Combine(Cache.Root, "models--org--name");

    private string Snapshot => Path.Combine(Repository, "snapshots", Commit);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("org/name", "org/name", "main"), InlineData("gpt2", "gpt2", "main"), InlineData("a-b/C_d.5", "a-b/C_d.5", "main")]
    [InlineData("org/name@v1.0", "org/name", "v1.0"), InlineData("org/name@refs/pr/3", "org/name", "refs/pr/3"), InlineData("org/name@" + Commit, "org/name", Commit)]
    public void Names_are_read(string text, string repository, string revision)
    {
        Assert.Equal(new HubName(repository, revision), HubName.Find(text));
        Assert.Equal(revision == Commit, HubName.Parse(text).IsCommit);
    }

    [Theory]
    [InlineData(""), InlineData("/"), InlineData("org/"), InlineData("/name"), InlineData("a/b/c"), InlineData("../name"), InlineData("org/.."), InlineData("org/na--me"), InlineData("org/name@"), InlineData("org/name@../x")]
    [InlineData("org/name@a//b"), InlineData("org/name@/a"), InlineData("org\\name"), InlineData("org/na me"), InlineData("org/näme"), InlineData("org/name\0"), InlineData("-org/name"), InlineData("org/name."), InlineData("org/name@.hidden"), InlineData("org/name@a/../../b")]
    public void What_could_lead_elsewhere_is_no_name(string text)
    {
        Assert.Null(HubName.Find(text));
        Assert.Contains("is no name of a repository", Assert.Throws<UserErrorException>(() => HubName.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", true), InlineData("a/b/c.txt", true), InlineData("..", false), InlineData("a/../b", false), InlineData("/etc/passwd", false), InlineData("a//b", false), InlineData("a\\b", false), InlineData("C:x", false), InlineData("a\nb", false), InlineData("", false), InlineData("a/", false), InlineData("./a", false), InlineData("a\0", false)]
    public void Files_of_a_repository_stay_inside(string path, bool stays) => Assert.Equal(stays, HubName.IsFile(path));

    [Fact]
    public void The_environment_names_the_cache()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal("/c", Root(("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")));
        Assert.Equal(Path.Combine("/h", "hub"), Root(("HF_HOME", "/h"), ("HF_HUB_CACHE", "")));
        Assert.Equal(Path.Combine("/x", "huggingface", "hub"), Root(("XDG_CACHE_HOME", "/x")));
        Assert.Equal(Path.Combine(home, ".cache", "huggingface", "hub"), Root());
        Assert.Equal(Path.Combine(home, "m"), Root(("HF_HUB_CACHE", "~/m")));

        static string Root(params (string Name, string Value)[] variables) => HubCache.Of(name => variables.FirstOrDefault(variable => variable.Name == name).Value).Root;
    }

    [Fact]
    public void A_download_is_found_by_branch_and_by_commit()
    {
        Fill();
        Assert.Equal(Snapshot, Cache.Find(HubName.Parse("org/name")));
        Assert.Equal(Snapshot, Cache.Find(HubName.Parse("org/name@" + Commit)));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(Snapshot, "config.json")));
        Assert.Null(Cache.Find(HubName.Parse("org/name@other")));
        Assert.Null(Cache.Find(HubName.Parse("org/other")));
        Assert.Null(Cache.Find(HubName.Parse("org/name@" + new string('0', 40))));
    }

    [Fact]
    public void Plain_copies_are_read_where_a_disk_knows_no_links()
    {
        Fill();
        File.Delete(Path.Combine(Snapshot, "config.json"));
        File.WriteAllText(Path.Combine(Snapshot, "config.json"), "{}");
        Assert.Equal(Snapshot, Cache.Find(HubName.Parse("org/name")));
    }

    public static TheoryData<string> Attacks => [.. Hostile.Keys];

    private static readonly Dictionary<string, (Action<HubCacheTests> Change, string Message)> Hostile = new()
    {
        ["a link to a file of the system"] = (test => test.Link("config.json", "/etc/hostname"), "expected one of this repository's blobs"),
        ["a link that climbs out"] = (test => test.Link("config.json", "../../../../../../../etc/hostname"), "expected one of this repository's blobs"),
        ["a link to another repository's blob"] = (test => test.Link("config.json", $"../../../models--org--other/blobs/{new string('a', 40)}"), "expected one of this repository's blobs"),
        ["a link to a blob by a detour"] = (test => test.Link("config.json", $"../../blobs/x/../../../{new string('a', 40)}"), "expected one of this repository's blobs"),
        ["a link to the folder of blobs"] = (test => test.Link("config.json", "../../blobs"), "expected one of this repository's blobs"),
        ["a link to a blob with a name of its own"] = (test => test.Link("config.json", "../../blobs/config.json"), "expected a blob named by 40 or 64 hexadecimal digits"),
        ["a link to what is still incomplete"] = (test => test.Link("config.json", $"../../blobs/{new string('a', 40)}.incomplete"), "expected a blob named by 40 or 64 hexadecimal digits"),
        ["a link to a blob that is missing"] = (test => test.Link("config.json", $"../../blobs/{new string('a', 40)}"), "is missing"),
        ["a link to itself"] = (test => test.Link("config.json", "config.json"), "expected one of this repository's blobs"),
        ["a folder that is a link"] = (test => test.Link("inner", "/etc"), "expected one of this repository's blobs"),
        ["a blob that is a link"] = (test => { test.Blob("x", out string hash); File.Delete(test.BlobPath(hash)); File.CreateSymbolicLink(test.BlobPath(hash), "/etc/hostname"); test.Link("x", $"../../blobs/{hash}"); }, "expected a plain file"),
        ["a blob with another content"] = (test => { test.Blob("x", out string hash); File.WriteAllText(test.BlobPath(hash), "y"); test.Link("x", $"../../blobs/{hash}"); }, "does not have the hash"),
        ["a large blob with another content, by SHA-256"] = (test => { string hash = new('b', 64); File.WriteAllText(test.BlobPath(hash), "y"); test.Link("x", $"../../blobs/{hash}"); }, "does not have the hash"),
        ["a reference that is a path"] = (test => test.Reference("../../../etc"), "expected a commit of 40 hexadecimal digits"),
        ["a reference in capitals"] = (test => test.Reference(new string('A', 40)), "expected a commit of 40 hexadecimal digits"),
        ["an empty reference"] = (test => test.Reference(""), "expected a commit of 40 hexadecimal digits"),
        ["a reference of a megabyte"] = (test => test.Reference(new string('a', 1 << 20)), "the file has 1048576 bytes"),
        ["a reference that is a link"] = (test => { File.Delete(test.ReferencePath); File.CreateSymbolicLink(test.ReferencePath, "/etc/hostname"); }, "expected a plain file"),
        ["snapshots that are a link"] = (test => { Directory.Delete(Path.Combine(test.Repository, "snapshots"), true); Directory.CreateSymbolicLink(Path.Combine(test.Repository, "snapshots"), "/tmp"); }, "expected a plain folder"),
        ["a snapshot that is a link"] = (test => { Directory.Delete(test.Snapshot, true); Directory.CreateSymbolicLink(test.Snapshot, "/etc"); }, "expected a plain folder"),
        ["folders 20 deep"] = (test => Directory.CreateDirectory(Path.Combine(test.Snapshot, string.Join('/', Enumerable.Repeat("d", 20)))), "expected at most 16"),
    };

    [Theory, MemberData(nameof(Attacks))]
    public void Refuses_a_hostile_cache(string attack)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links needs a privilege on Windows");
        Fill();
        Hostile[attack].Change(this);
        Attack.IsRefused(Path.Combine(Cache.Root, "x"), _ => Cache.Find(HubName.Parse("org/name")), Hostile[attack].Message);
    }

    private string ReferencePath => Path.Combine(Repository, "refs", "main");

    private string BlobPath(string hash) => Path.Combine(Repository, "blobs", hash);

    private void Fill()
    {
        foreach (string folder in (string[])["blobs", "refs", "snapshots/" + Commit])
            Directory.CreateDirectory(Path.Combine(Repository, folder));
        Blob("{}", out string hash);
        Link("config.json", "../../blobs/" + hash);
        Reference(Commit);
    }

    private void Reference(string content) => File.WriteAllText(ReferencePath, content);

    private void Blob(string content, out string hash)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
#pragma warning disable CA5350 // git's hash
        hash = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {bytes.Length}\0")), .. bytes]));
#pragma warning restore CA5350
        File.WriteAllBytes(BlobPath(hash), bytes);
    }

    private void Link(string name, string target)
    {
        string path = Path.Combine(Snapshot, name);
        File.Delete(path);
        File.CreateSymbolicLink(path, target);
    }
}
