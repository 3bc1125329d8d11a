using System.Reflection;

namespace OpenEuroLLM.Core;

/// <summary>Which code made an artifact.</summary>
public static class BuildVersion
{
    /// <summary>Version and, when built from a repository, the commit: <c>0.1.0+3082857...</c>. The same throughout one build.</summary>
    public static string Current { get; } =
        typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
