using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>Nothing but <c>fetch</c> opens a connection: watched while all sockets are denied, and held by what the rooms may refer to.</summary>
public sealed class NoConnectionTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Commands_work_while_sockets_are_denied_and_ask_for_none()
    {
        RequireTracer();
        string model = FetchedModel();
        string text = _folder.Write("text.txt", "Vienna is the capital of Austria.\n");
        string[][] commands =
        [
            ["generate", "--model", "org/name", "--prompt", "The capital of Austria is", "--max-tokens", "4"],
            ["tokenizer", "encode", "--tokenizer", model, text],
            ["identify", text],
            ["evaluate", "--model", "org/name@" + Commit, "--bits-per-byte", text],
            ["convert", "--model", "org/name", "--to", "gguf", "--quantize", "q8_0", "--out", _folder.At("model.gguf")],
        ];
        foreach (string[] command in commands)
        {
            var (code, said, sockets) = Watched(command);
            Assert.True(code == 0, $"oellm {string.Join(' ', command)}: exit code {code}: {said}");
            Assert.Equal([], sockets);
        }
    }

    [Fact]
    public void The_watch_sees_what_fetch_asks_for()
    {
        RequireTracer();
        var (code, said, sockets) = Watched("fetch", "org/name");
        Assert.NotEmpty(sockets);
        Assert.Equal(2, code);
        Assert.Contains("oellm: org/name: ", said, StringComparison.Ordinal);
        (code, _, sockets) = Watched("fetch", "org/name", "--offline");
        Assert.Equal(2, code);
        Assert.Equal([], sockets);
    }

    [Fact]
    public void A_name_that_was_not_fetched_says_what_fetches_it() =>
        Oellm.Refuses(["generate", "--model", "org/none-such", "--prompt", "x"], "there is no such folder", "'oellm fetch org/none-such' fetches it into ");

    [Fact]
    public void Only_the_command_line_and_the_server_refer_to_networks()
    {
        string[] rooms = [.. Directory.GetFiles(AppContext.BaseDirectory, "OpenEuroLLM.*.dll").Append(Path.Combine(AppContext.BaseDirectory, "oellm.dll"))
            .Where(file => !file.EndsWith(".Tests.dll", StringComparison.Ordinal))];
        Assert.True(rooms.Length >= 13);
        Assert.Equal(["OpenEuroLLM.Serving", "oellm"], rooms.Where(room => Networks(room).Any()).Select(room => Path.GetFileNameWithoutExtension(room)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void On_the_command_line_one_file_connects_to_others_and_two_to_processes_of_this_machine()
    {
        string[] words = ["HttpClient", "new Socket(", "TcpClient", "UdpClient", "WebRequest", "Dns.", "NamedPipe"];
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => words.Any(word => File.ReadAllText(file).Contains(word, StringComparison.Ordinal)))
            .Select(file => Path.GetRelativePath(Path.Combine(Root, "src"), file).Replace('\\', '/')).Where(file => !file.StartsWith("Serving/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        // The measurements connect to this machine by a loopback address that is written there, and to the socket of a file.
        Assert.Equal(["Cli/FetchHub.cs", "Cli/HeapCollection.cs", "Cli/LoopbackConnection.cs"], files);
        string loopback = File.ReadAllText(Path.Combine(Root, "src", "Cli", "LoopbackConnection.cs")), collection = File.ReadAllText(Path.Combine(Root, "src", "Cli", "HeapCollection.cs"));
        Assert.Equal(1, Count(loopback, "EndPoint("));
        Assert.Equal(1, Count(loopback, "new IPEndPoint(IPAddress.Loopback, "));
        Assert.Equal(1, Count(collection, "EndPoint("));
        Assert.Equal(1, Count(collection, "new UnixDomainSocketEndPoint("));

        static int Count(string text, string part) => text.Split(part).Length - 1;
    }

    private static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "OpenEuroLLM.slnx"))) return folder.FullName;
            throw new InvalidOperationException("the tests do not run inside the repository");
        }
    }

    private static IEnumerable<string> Networks(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        // The one thing without a network in there is the address of a page or a status, which others may name.
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => (name.StartsWith("System.Net.", StringComparison.Ordinal) && name is not "System.Net.Primitives") || name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || name == "System.IO.Pipes")];
    }

    /// <summary>The built-in model in the form of a download.</summary>
    private string FetchedModel()
    {
        string source = Path.Combine(AppContext.BaseDirectory, ModelPath.BuiltIn), repository = _folder.At("hub", "models--org--name"), snapshot = Path.Combine(repository, "snapshots", Commit);
        Assert.SkipUnless(Directory.Exists(source), "this build has no built-in model");
        foreach (string folder in (string[])["blobs", "refs", "snapshots/" + Commit]) Directory.CreateDirectory(Path.Combine(repository, folder));
        foreach (string name in (string[])["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
        {
            string hash = LoopbackHub.HashOf(name, File.ReadAllBytes(Path.Combine(source, name)));
            File.Copy(Path.Combine(source, name), Path.Combine(repository, "blobs", hash));
            File.CreateSymbolicLink(Path.Combine(snapshot, name), "../../blobs/" + hash);
        }
        File.WriteAllText(Path.Combine(repository, "refs", "main"), Commit);
        return snapshot;
    }

    private static void RequireTracer()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/strace"), "needs strace, which denies sockets and lists who asked for one");
        var (code, _) = Run("/usr/bin/strace", ["-f", "-o", "/dev/null", "-e", "trace=socket", "-e", "inject=socket:error=EACCES", "/bin/true"], []);
        Assert.SkipUnless(code == 0, "this machine lets no program be traced");
    }

    /// <summary>Runs the program without sockets: its exit code, what it said, and every socket of the internet that it asked for.</summary>
    private (int Code, string Said, string[] Sockets) Watched(params string[] arguments)
    {
        string log = _folder.At("sockets.log");
        File.Delete(log);
        var (code, said) = Run("/usr/bin/strace",
            ["-f", "-o", log, "-e", "trace=socket", "-e", "inject=socket:error=EACCES", "--seccomp-bpf", Oellm.Host, Path.Combine(AppContext.BaseDirectory, "oellm.dll"), .. arguments],
            [("HF_HUB_CACHE", _folder.At("hub")), ("HF_ENDPOINT", "http://127.0.0.1:9"), ("DOTNET_EnableDiagnostics", "0"), ("HF_HUB_OFFLINE", "0")]);
        return (code, said, [.. File.ReadLines(log).Where(line => line.Contains("AF_INET", StringComparison.Ordinal) || line.Contains("AF_NETLINK", StringComparison.Ordinal))]);
    }

    private static (int Code, string Said) Run(string program, IEnumerable<string> arguments, IEnumerable<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end");
        }
        process.WaitForExit();
        lock (said) return (process.ExitCode, said.ToString());

        void Add(string? line)
        {
            lock (said) said.AppendLine(line);
        }
    }
}
